import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/setup/prepare.ts"],
    reporters: ["default", "./test/setup/count-reporter.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two workers: the tests start servers, browsers and load of their own.
    maxWorkers: 2,
  },
});
