import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/**
 * How long is waited for what must come, in ms: they end what hangs, and say nothing of how fast a thing is. A machine that does something else as well may take
 * ten times as long as one that does not.
 */
const patience = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    reporters: ["default", "./test/setup/count-reporter.ts"],
    // Two workers: the tests start servers, browsers and load of their own.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          globalSetup: ["test/setup/prepare.ts"],
          ...patience,
        },
      },
      {
        // Inside workerd: the tests run beside the objects they test.
        plugins: [cloudflareTest({
          main: "./test/runtimes/workerd/worker.ts",
          miniflare: {
            compatibilityDate: "2026-10-01",
            compatibilityFlags: ["nodejs_compat"],
            durableObjects: {
              EVENT_ROUTER: { className: "EventRouterObject", useSQLite: true },
              SMALL: { className: "SmallObject", useSQLite: true },
              GUARDED: { className: "GuardedObject", useSQLite: true },
              SWEEPING: { className: "SweepingObject", useSQLite: true },
              BARE: { className: "BareObject", useSQLite: true },
              RELAYED: { className: "RelayedObject", useSQLite: true },
              GUARDED_RELAYED: { className: "GuardedRelayedObject", useSQLite: true },
              RELAYED_SMALL: { className: "RelayedSmallObject", useSQLite: true },
            },
            bindings: { ALLOW_ANONYMOUS: "true" },
          },
        })],
        test: { name: "workerd", include: ["test/runtimes/workerd/*.workerd.ts"], ...patience },
      },
    ],
  },
});
