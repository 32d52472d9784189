import { expect, test } from "vitest";
import { readWorkerSettings, relaysOf } from "../../src/hosts/worker-options.ts";

test("how many relays: what the code says, else what the environment says, else none", async () => {
  expect([relaysOf({}, {}), relaysOf({}, { RELAYS: "4" }), relaysOf({ relays: 2 }, { RELAYS: "4" }), relaysOf({ relays: 0 }, { RELAYS: "4" })]).toEqual([0, 4, 2, 0]);
  expect((await readWorkerSettings({}, { RELAYS: "4" })).relays).toBe(4);
});

test.each([
  [{}, { RELAYS: "four" }, 'RELAYS: must be a whole number from 0 to 1,000, not "four"; set it in wrangler.toml'],
  [{}, { RELAYS: "1001" }, 'RELAYS: must be a whole number from 0 to 1,000, not "1001"; set it in wrangler.toml'],
  [{ relays: -1 }, {}, "relays: must be a whole number from 0 to 1,000, not -1; set it in createWorker"],
  [{ relays: 1.5 }, {}, "relays: must be a whole number from 0 to 1,000, not 1.5; set it in createWorker"],
] as const)("a number of relays that cannot be says what is right, wherever it is read: %j %j", async (options, env, message) => {
  expect(() => relaysOf(options, env)).toThrow(expect.objectContaining({ code: "ERR_OPTION", message }));
  await expect(readWorkerSettings(options, env)).rejects.toMatchObject({ code: "ERR_OPTION", message });
});
