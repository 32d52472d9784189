import { afterAll, beforeAll, expect, test } from "vitest";
import { errorsOf, faultOf } from "../support/errors-of.ts";
import { seeded } from "../support/fake-surroundings.ts";
import { hello, lawful, mutate } from "../support/mutate.ts";
import { line, RawClient } from "../support/raw-client.ts";
import { World } from "../support/world.ts";

const MESSAGES = Number(process.env.FUZZ_MESSAGES ?? 50_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);

const rejections: unknown[] = [];
const note = (reason: unknown): void => void rejections.push(reason);
beforeAll(() => void process.on("unhandledRejection", note));
afterAll(() => void process.off("unhandledRejection", note));

test(`[Limits] ${MESSAGES} hostile messages: each has a typed answer, and a bystander is served as if nothing were`, async () => {
  const random = seeded(SEED);
  const world = new World({ retention: { maxEvents: 2_000 } });
  const codes = new Map<string, number>();
  const bystander = await world.client({ name: "bystander" });
  bystander.subscribe(1, "bystander.*");
  const published: string[] = [];

  let sent: string[] = [];
  let client = new RawClient(world.router);
  const retire = (): void => {
    for (const frame of client.frames) {
      for (const [, code] of errorsOf(frame)) codes.set(code, (codes.get(code) ?? 0) + 1);
      if (faultOf(frame) !== undefined) throw new Error(`${JSON.stringify(frame)} after ${JSON.stringify(sent.slice(-3)).slice(0, 2_000)}`);
    }
    if (client.closed === undefined) client.session.disconnected();
    else expect(client.bye !== undefined || client.closed.code === 1_000).toBe(true);
    client = new RawClient(world.router);
    sent = [];
  };

  for (let n = 1; n <= MESSAGES; n++) {
    let message: string;
    if (client.session.state === "greeting") message = random() < 0.3 ? mutate(hello(random), random) : hello(random);
    else message = random() < 0.6 ? mutate(lawful(random), random) : lawful(random);
    sent.push(message);
    client.session.receive(message);
    if (client.session.state !== "open" || n % 20 === 0) await world.settle();
    if (client.closed !== undefined || sent.length > 150) retire();
    else if (random() < 0.2) client.ackAll();
    if (n % 100 === 0) {
      published.push(`b${n}`);
      bystander.publish([line(`b${n}`, "bystander.x", n)]);
      await world.pass(100);
      bystander.ackAll();
    }
  }
  await world.settle();
  retire();
  await world.settle();

  if (process.env.FUZZ_SHOW !== undefined) console.log([...codes].sort((a, b) => b[1] - a[1]), (await world.log()).head);
  expect(bystander.idsOf(1)).toEqual(published);
  expect(bystander.named("pub").length).toBe(published.length);
  expect(bystander.closed).toBeUndefined();
  expect(world.errors).toEqual([]);
  expect(rejections).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  // The mutator reaches what it should: else it is the mutator that is broken.
  if (MESSAGES >= 50_000) expect([...codes.keys()]).toEqual(expect.arrayContaining(["ERR_FRAME", "ERR_EVENT_ID", "ERR_TYPE", "ERR_PATTERN", "ERR_FILTER", "ERR_META", "ERR_PAYLOAD_DEPTH", "ERR_FILTER_TOO_LARGE", "ERR_ID_CONFLICT", "ERR_METHOD", "ERR_PARAMETER", "ERR_NAME", "ERR_PROTOCOL_VERSION", "ERR_NO_RESPONDERS", "ERR_SUBSCRIPTION_ID"]));
  // Those who left have left.
  expect(world.stats()).toMatchObject({ connections: 1, activeSubscriptions: 1, openRequests: 0 });
});
