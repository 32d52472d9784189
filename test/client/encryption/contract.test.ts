import { afterEach, beforeEach, describe, test, vi } from "vitest";
import { encrypted, homes, inProcess } from "../../contract/router/homes.ts";
import { routerContract } from "../../contract/router/router-contract.ts";
import { ENGINES, pretend } from "./kit.ts";

// What holds for plain clients holds for those that encrypt: filters, order, repeats, cuts, requests …
for (const { name, make } of homes.filter(({ name }) => /^memory.*process|^sqlite.*WebSocket/.test(name))) describe(`encrypted: ${name}`, () => routerContract({ test }, encrypted(make)));

describe.each(ENGINES.slice(1))("encrypted with %s, as in a browser", (engine) => {
  beforeEach(() => pretend(engine));
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  routerContract({ test }, encrypted(inProcess("memory")));
});
