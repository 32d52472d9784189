import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, expect, test } from "vitest";
import type { RawClient } from "../support/raw-client.ts";
import { numbered, World } from "../support/world.ts";

let collect: () => void;
beforeAll(() => {
  setFlagsFromString("--expose-gc");
  collect = runInNewContext("gc") as () => void;
});

/** What a client may have when it goes. */
const possessions: Readonly<Record<string, (guest: RawClient) => void>> = {
  "a subscription": (guest) => guest.subscribe(1, "t"),
  "a subscription that reads the log": (guest) => guest.subscribe(1, { topics: ["t"], from: "start" }),
  "a subscription with a filter, and one that it has ended": (guest) => {
    guest.subscribe(1, { topics: ["t"], filter: { payload: 1 } });
    guest.subscribe(2, "t");
    guest.say(["unsub", 2]);
  },
  "a named place": (guest) => guest.subscribe(1, { topics: ["t"], durable: "place" }),
  "work of a group": (guest) => guest.subscribe(1, { topics: ["t"], group: "g", from: "start" }),
  "an office": (guest) => guest.say(["serve", 1, ["question"]]),
  "a question that it answers itself, and does not": (guest) => {
    guest.say(["serve", 1, ["question"]]);
    guest.request("question", 1, 60_000);
  },
};

test.each(Object.entries(possessions))("[I14] nothing of a session with %s stays in a router in which nothing happens", async (_, take) => {
  const world = new World();
  const publisher = await world.client();
  publisher.publish(numbered(1, 3));
  await world.settle();
  const session = await (async () => {
    const guest = await world.client();
    take(guest);
    await world.settle();
    expect(guest.frames.filter(([kind]) => kind === "bye")).toEqual([]);
    guest.session.disconnected();
    return new WeakRef(guest.session);
  })();
  await world.settle();
  // What an await has seen is free a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(session.deref()).toBe(undefined);
  expect(world.stats().connections).toBe(1);
});
