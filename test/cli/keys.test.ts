import { expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { cli } from "./cli.ts";

test("keys generate writes a key that a client takes, and a new one each time", async () => {
  const [one, named, machine] = await Promise.all([cli(["keys", "generate"]), cli(["keys", "generate", "--kid", "2026-11"]), cli(["keys", "generate", "--json", "--kid=2026-11"])]);
  expect(one).toEqual({ code: 0, signal: null, out: expect.stringMatching(/^[A-Za-z0-9+/]{43}=\n$/), err: "" });
  expect(named).toEqual({ code: 0, signal: null, out: expect.stringMatching(/^2026-11 [A-Za-z0-9+/]{43}=\n$/), err: "" });
  expect(machine).toMatchObject({ code: 0, err: "" });
  const made = JSON.parse(machine.out) as { kid: string; key: string };
  expect(made).toEqual({ kid: "2026-11", key: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/), algorithm: "AES-256-GCM" });
  expect(new Set([one.out.trim(), named.out.trim().split(" ")[1], made.key]).size).toBe(3);
  await using client = new EventRouterClient({ transport: "memory", namespace: "keys-test", encryption: { keys: { a: one.out.trim(), [made.kid]: made.key }, activeKey: made.kid } });
  expect((await client.publish("n", 1)).status).toBe("published");
});

test.each([[["keys"], "keys needs ACTION"], [["keys", "make"], 'it knows no "make"'], [["keys", "generate", "--kid", "a b"], "--kid is a name"], [["keys", "generate", "more"], "one more"]])("%j is refused with 2", async (args, message) => {
  const ended = await cli(args);
  expect(ended).toMatchObject({ code: 2, out: "" });
  expect(ended.err).toContain(message);
  expect(ended.err).toContain("event-router keys --help");
});
