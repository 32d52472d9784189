import { defineConfig } from "vitest/config";

/** `npm run test:edge`: against a real `wrangler dev`, which takes minutes. */
export default defineConfig({
  test: { include: ["test/edge/*.edge.ts"], maxWorkers: 2, testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } },
});
