import fc from "fast-check";
import { memory, redis, sqlite } from "../contract/store/factories.ts";
import { storeContract } from "../contract/store/store-contract.ts";
import { encrypted, homes, inProcess } from "../contract/router/homes.ts";
import { outboxContract } from "../contract/outbox/outbox-contract.ts";
import { routerContract } from "../contract/router/router-contract.ts";
import type { Suite } from "../contract/suite.ts";

export interface NamedTest {
  readonly name: string;
  run(): Promise<void>;
}

/** The contract suites that every server runtime runs. A new one is a line here. */
const suites: readonly { readonly name: string; register(suite: Suite): void }[] = [
  { name: "memory store", register: (suite) => storeContract(suite, memory, fc) },
  { name: "SQLite store", register: (suite) => storeContract(suite, sqlite, fc) },
  // Who runs these has started a server.
  { name: "Redis store", register: (suite) => storeContract(suite, redis(() => process.env.REDIS_OF_TESTS!), fc) },
  ...homes.map(({ name, make }) => ({ name: `router, ${name}`, register: (suite: Suite) => routerContract(suite, make) })),
  { name: "outbox in SQLite", register: outboxContract },
  { name: "router, encrypted", register: (suite) => routerContract(suite, encrypted(inProcess("memory"))) },
];

/** All tests of all suites, not yet run. */
export function collect(): NamedTest[] {
  return suites.flatMap(({ name: suite, register }) => {
    const tests: NamedTest[] = [];
    register({ test: (name, run) => void tests.push({ name: `${suite}: ${name}`, run }) });
    return tests;
  });
}
