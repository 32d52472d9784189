import { afterEach, beforeEach, describe, test, vi } from "vitest";
import { encrypted, homes, inProcess } from "../../contract/router/homes.ts";
import { routerContract } from "../../contract/router/router-contract.ts";
import { pretend } from "./kit.ts";

// What holds for plain clients holds for those that encrypt: filters, order, repeats, cuts, requests, groups, sagas …
for (const { name, make } of homes.filter(({ name }) => /^sqlite.*WebSocket/.test(name))) describe(`encrypted: ${name}`, () => routerContract({ test }, encrypted(make)));

// An engine that takes its time, as a browser's does.
describe("encrypted with WebCrypto, in process", () => {
  beforeEach(() => pretend("WebCrypto"));
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  routerContract({ test }, encrypted(inProcess("memory")));
});
