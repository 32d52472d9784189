import { defineConfig } from "vitest/config";

/** `npm run test:edge`: against a real `wrangler dev`, which takes minutes. */
export default defineConfig({
  test: { include: ["test/edge/*.edge.ts"], maxWorkers: 2, testTimeout: 60_000, hookTimeout: 60_000 },
});
