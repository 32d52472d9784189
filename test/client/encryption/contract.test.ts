import { afterEach, beforeEach, describe, test, vi } from "vitest";
import { homes, inProcess } from "../../contract/router/homes.ts";
import type { MakeHome } from "../../contract/router/kit.ts";
import { routerContract } from "../../contract/router/router-contract.ts";
import { ENGINES, KEY, pretend } from "./kit.ts";

/** The same home, all of whose clients encrypt everything and take nothing in the clear. */
const encrypted = (make: MakeHome): MakeHome => async (options) => {
  const home = await make(options);
  return { ...home, connect: (more) => home.connect({ encryption: { key: KEY, required: ["**"] }, ...more }) };
};

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
