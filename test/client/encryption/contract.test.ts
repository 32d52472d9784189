import { afterEach, beforeEach, describe, test, vi } from "vitest";
import { encrypted, inProcess } from "../../contract/router/homes.ts";
import { routerContract } from "../../contract/router/router-contract.ts";
import { pretend } from "./kit.ts";

// What holds for plain clients holds for those that encrypt: filters, order, repeats, cuts, requests, groups, sagas … with an engine that works at once,
// and with one that takes its time, as a browser's does.
describe.each(["node:crypto", "WebCrypto"] as const)("encrypted with %s", (engine) => {
  beforeEach(() => pretend(engine));
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  routerContract({ test }, encrypted(inProcess("memory")));
});
