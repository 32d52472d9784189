import { expect, test } from "vitest";
import type { Handler } from "../../src/client/handle-events.ts";
import type { RouterEvent } from "../../src/core/event.ts";
import { PatternClient } from "../../src/pattern-client.ts";
import { settle } from "../support/test-clock.ts";
import { ScriptedRouter } from "./scripted-router.ts";

async function scene(permissions: readonly string[]) {
  const router = new ScriptedRouter();
  router.welcome = { ...router.welcome, permissions };
  const client = new PatternClient({ makeLink: router.makeLink, clock: router.clock, random: () => 0.5, randomBytes: (count) => new Uint8Array(count) });
  const errors: unknown[] = [];
  client.onError((error, event) => errors.push([(error as { name?: string }).name, (error as { code?: string }).code, event?.seq]));
  const handled: number[] = [];
  const handler = ({ seq }: RouterEvent): void => void handled.push(seq);
  await Promise.all([import("../../src/client/permission.ts"), import("../../src/client/retry.ts")]);
  /** Delivers events to a handler in a middleware. */
  const run = async (wrapped: Handler, ...seqs: number[]): Promise<void> => {
    const sub = client.on("n", wrapped);
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], ...seqs);
    for (let i = 0; i < 20; i++) await settle();
  };
  return { client, errors, handled, handler, run };
}

test.each<[permissions: string[], runs: boolean]>([[["admin"], true], [["manage"], false], [[], false], [["read:admin"], false]])("requirePermission(\"admin\") with %j: the handler runs: %s", async (permissions, runs) => {
  const { client, errors, handled, handler, run } = await scene(permissions);
  await run(client.requirePermission("admin")(handler), 1);
  expect([handled, errors]).toEqual(runs ? [[1], []] : [[], [["PermissionError", "ERR_PERMISSION", 1]]]);
});

test("authorize asks about each event, with who this client is; what it waits for counts, and so does its throw", async () => {
  const { client, errors, handled, handler, run } = await scene(["read:n"]);
  const check = async ({ seq, type }: RouterEvent, { user }: { user: { hasPermission(text: string): boolean } }): Promise<boolean> => {
    if (seq === 3) throw new RangeError("no idea");
    return seq !== 2 && user.hasPermission(`read:${type}`);
  };
  await run(client.authorize(check)(handler), 1, 2, 3, 4);
  expect(handled).toEqual([1, 4]);
  expect(errors).toEqual([["PermissionError", "ERR_UNAUTHORIZED", 2], ["RangeError", undefined, 3]]);
});

test("they compose with what else surrounds a handler", async () => {
  const { client, errors, handled, handler, run } = await scene([]);
  await run(client.errorHandler({ maxRetries: 0 })(client.requirePermission("admin")(handler)), 1, 2);
  expect([handled, errors.map((error) => (error as unknown[])[1])]).toEqual([[], ["ERR_PERMISSION", "ERR_PERMISSION"]]);
});

test.each<[what: string, call: (client: PatternClient) => unknown]>([
  ["no permission", (client) => client.requirePermission("")],
  ["a permission that is a number", (client) => client.requirePermission(5 as never)],
  ["a check that is no function", (client) => client.authorize(true as never)],
])("%s reaches onError as a ValidationError, and no handler runs", async (_, call) => {
  const { client, errors, handled, handler, run } = await scene(["admin"]);
  await run((call(client) as (inner: Handler) => Handler)(handler), 1);
  expect(handled).toEqual([]);
  expect(errors).toEqual(expect.arrayContaining([["ValidationError", "ERR_OPTION", undefined]]));
});
