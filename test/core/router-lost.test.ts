import { expect, test } from "vitest";
import { Client } from "../../src/client/client.ts";
import { EventRouterError } from "../../src/core/errors.ts";
import { Router } from "../../src/core/router.ts";
import type { Gap } from "../../src/core/frames.ts";
import type { Log, Store } from "../../src/core/store.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../src/hosts/surroundings.ts";
import { inProcessLink } from "../../src/links/in-process.ts";
import { memoryStore } from "../../src/stores/memory.ts";

test("[P9] [I19] a log that is lost while it is open: readers are told, and what is published goes into the new one", async () => {
  const lost = Promise.withResolvers<EventRouterError>();
  const lives = [memoryStore({ randomBytes }), memoryStore({ randomBytes })];
  let opened = 0;
  const store: Store = {
    durability: "memory",
    async open(namespace): Promise<Log> {
      const log = await lives[opened]!.open(namespace);
      return opened++ === 0 ? Object.assign(Object.create(log) as Log, { lost: lost.promise }) : log;
    },
    async close() {},
  };
  const failures: unknown[] = [];
  const router: Router = new Router({ store, surroundings: serverSurroundings(() => router.tick()), onError: (error) => failures.push(error) });
  const client = new Client({ makeLink: () => inProcessLink(router), clock, random: () => 0, randomBytes });
  const got: unknown[] = [];
  const sub = await client.subscribe("n", (event) => got.push([event.payload, event.seq]));
  const gap = new Promise<Gap>((resolve) => sub.onGap(resolve));
  const before = await client.publish("n", 1);
  const error = new EventRouterError("ERR_EPOCH", "cleared", { retryable: true });
  lost.resolve(error);
  expect(await gap).toEqual({ from: 2, to: null, epoch: before.epoch, reason: "epoch" });
  const after = await client.publish("n", 2);
  expect([after.seq, after.epoch === before.epoch, failures]).toEqual([1, false, [error]]);
  await expect.poll(() => got).toEqual([[1, 1], [2, 1]]);
  await client.close();
  await router.close();
});
