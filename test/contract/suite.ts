/** What a contract suite needs of a test runner: vitest, a page in a browser and `test/runtimes/run.ts` all have it. */
export interface Suite {
  test(name: string, run: () => Promise<void>): void;
}
