import { expect, test } from "vitest";
import { settle } from "../../support/test-clock.ts";
import { line, ScriptedRouter, type SentFrame } from "../scripted-router.ts";
import { KEY } from "./kit.ts";

/** A client that takes `n` only encrypted, subscribed to everything. Each finished event makes an ack due. */
async function subscribed() {
  const router = new ScriptedRouter();
  router.welcome = { ...router.welcome, limits: { ...router.welcome.limits, windowEvents: 2 } };
  const client = router.client({ encryption: { key: KEY, required: ["n"] } });
  const told: unknown[] = [];
  client.onError((error, event) => told.push([(error as { code: string }).code, event?.seq]));
  await client.connect();
  const handled: number[] = [];
  const subscription = client.on("**", (event) => void handled.push(event.seq));
  const [sub] = await router.take("sub");
  const id = sub!.args[0] as number;
  router.say(["on", id, "e1", 0]);
  return { router, client, told, handled, id, subscription };
}

const letters = (frames: readonly SentFrame[]) => frames.filter(({ name }) => name === "call").map(({ args }) => args);
const acked = (frames: readonly SentFrame[]) => frames.filter(({ name }) => name === "ack").map(({ args }) => args.slice(1));

test("[P6] what cannot be opened becomes a dead letter, and counts as finished when that is kept; others go on meanwhile", async () => {
  const { router, told, handled, id } = await subscribed();
  router.say(["ev", [id], [line(1), line(2, "open"), line(3, "open")]]);
  const frames = await router.take();
  const [[req, method, letter]] = letters(frames) as [[number, string, unknown]];
  expect([method, letter]).toEqual(["dead", { sub: id, seq: 1, attempts: 1, error: { name: "EncryptionError", message: expect.stringContaining("in the clear") as unknown } }]);
  expect(told).toEqual([["ERR_NOT_ENCRYPTED", 1]]);
  expect(handled).toEqual([2, 3]);
  expect(acked(frames)).toEqual([]);
  router.say(["ok", req, null]);
  expect(acked(await router.take())).toEqual([[id, 3]]);
});

test("[P6] a dead letter that was cut off is offered again, and the event is not handled meanwhile", async () => {
  const { router, told, handled, id } = await subscribed();
  router.say(["ev", [id], [line(1)]]);
  expect(letters(await router.take())).toHaveLength(1);
  await router.bounce();
  const again = await router.take("sub", "call");
  expect(again.map(({ name, args }) => (name === "sub" ? (args[1] as { from: unknown }).from : name))).toEqual([["e1", 0]]);
  router.say(["on", id, "e1", 0], ["ev", [id], [line(1)]]);
  await router.clock.advance(1_000);
  const [[req]] = letters(await router.take()) as [[number]];
  router.say(["ok", req, null]);
  expect(acked(await router.take())).toEqual([[id, 1]]);
  expect([told, handled]).toEqual([[["ERR_NOT_ENCRYPTED", 1]], []]);
});

test("a router that keeps no dead letters is not asked again, and what is not stored is not offered", async () => {
  const { router, handled, id } = await subscribed();
  router.say(["ev", [id], [line(0), line(1)]]);
  const offered = letters(await router.take()) as [number, string, { seq: number }][];
  expect(offered.map(([, , { seq }]) => seq)).toEqual([1]);
  router.say(["err", offered[0]![0], ["ValidationError", "ERR_METHOD", "this router has no call \"dead\"", 0]]);
  const frames = await router.take();
  expect(acked(frames)).toEqual([[id, 1]]);
  await router.clock.advance(60_000);
  expect(letters(await router.take())).toEqual([]);
  expect(handled).toEqual([]);
});

test("whoever has unsubscribed offers no more", async () => {
  const { router, id, subscription } = await subscribed();
  router.say(["ev", [id], [line(1)]]);
  expect(letters(await router.take())).toHaveLength(1);
  void subscription.unsubscribe();
  await settle();
  await router.bounce();
  await router.clock.advance(60_000);
  expect(letters(await router.take())).toEqual([]);
});
