import { expect, test } from "vitest";
import type { Log, Store } from "../../src/core/store.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";
import { numbered, range, storeWith, World } from "../support/world.ts";

test("readers that are at the same place behind the head get the same bytes, made once", async () => {
  const world = new World({ limits: { windowEvents: 4 } });
  const readers = [await world.client(), await world.client()];
  for (const reader of readers) reader.say(["sub", 1, { topics: ["t"] }]);
  const other = await world.client();
  other.say(["sub", 1, { topics: ["t"], filter: { id: "e6" } }]);
  await world.settle();
  const publisher = await world.client();
  publisher.publish(numbered(1, 12));
  await world.settle();
  for (const done of [4, 8]) {
    const had = readers.map(({ messages }) => messages.length);
    for (const reader of readers) reader.say(["ack", reader.received, 1, done]);
    await world.settle();
    const [one, two] = readers.map(({ messages }, i) => messages.slice(had[i]));
    expect(one).toHaveLength(1);
    expect(one![0]!.text).toMatch(new RegExp(`^\\["ev",\\[1\\],\\[\\[${done + 1},.*"e${done + 4}","t",null\\]\\]\\]$`));
    expect(two![0]).toBe(one![0]);
  }
  expect(other.messages.at(-1)!.text).toMatch(/^\["ev",\[1\],\[\[6,.*"e6","t",null\]\]\]$/);
});

test("[P2] a router that has not heard of all that another one wrote, and trimmed, tells of no gap beyond what it has heard", async () => {
  const elsewhere = new World();
  const { store } = elsewhere;
  const other = await elsewhere.client({ name: "other" });
  const reports: (() => void)[] = [];
  let late = false;
  const behind: Store = { ...store, open: async (name) => {
    const log = await store.open(name);
    return Object.assign(Object.create(log) as Log, {
      watch: (listener: Parameters<Log["watch"]>[0]) => log.watch((events) => {
        if (late) reports.push(() => listener(events));
        else listener(events);
      }),
    });
  } };
  const world = new World({ store: behind });
  const reader = await world.client();
  other.publish(numbered(1, 5));
  await elsewhere.settle();
  late = true;
  other.publish(numbered(6, 25));
  await elsewhere.settle();
  await (await store.open("default")).trim(15);
  reader.subscribe(1, { topics: ["t"], from: [reader.welcome!.epoch, 0] });
  await world.settle();
  for (const report of reports) report();
  await world.settle();
  expect([reader.gapsOf(1).map(({ from, to }) => [from, to]), reader.eventsOf(1).map(([seq]) => seq)]).toEqual([[[1, 5]], Array.from({ length: 20 }, (_, i) => i + 6)]);
});

test("no more is read from the log than the reader has room for: what is left would be read again; but not so little that one in many takes long", async () => {
  const asked: number[] = [];
  const store = storeWith(new FakeSurroundings(), (log) => ({ read: (after, limit) => {
    asked.push(limit.events);
    return log.read(after, limit);
  } }));
  const world = new World({ store, tail: { events: 0, size: 0 } });
  const publisher = await world.client();
  publisher.publish(numbered(1, 500));
  publisher.publish(numbered(501, 600));
  await world.settle();
  const reader = await world.client();
  reader.subscribe(1, { topics: ["t"], from: "start" });
  await world.settle();
  reader.say(["ack", reader.received, 1, 128]);
  await world.settle();
  reader.say(["ack", reader.received, 1, 138]);
  await world.settle();
  reader.say(["ack", reader.received, 1, 394]);
  await world.settle();
  expect(asked).toEqual([256, 128, 64, 256]);
  expect(reader.eventsOf(1).map(([seq]) => seq)).toEqual(range(1, 600));
});
