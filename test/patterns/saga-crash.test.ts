import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Router } from "../../src/core/router.ts";
import type { Link } from "../../src/core/link.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../src/hosts/surroundings.ts";
import { inProcessLink } from "../../src/links/in-process.ts";
import { webSocketLink } from "../../src/links/websocket.ts";
import { PatternClient } from "../../src/pattern-client.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { collector } from "../contract/router/kit.ts";
import { orderSaga, workers } from "../contract/router/order-saga.ts";
import { mortal } from "../support/mortal-link.ts";

interface Place { link(): Link; close(): Promise<void> }

async function memory(): Promise<Place> {
  const router: Router = new Router({ store: memoryStore({ randomBytes }), surroundings: serverSurroundings(() => router.tick()), onError: (error) => console.error(error) });
  return { link: () => inProcessLink(router), close: () => router.close({ retryAfter: 1 }) };
}

async function sqliteServer(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "event-router-"));
  const server: RunningServer = await serve({ port: 0, store: `sqlite:${join(folder, "log.db")}` });
  return {
    link: () => webSocketLink({ url: `ws://127.0.0.1:${server.port}/ws`, WebSocket: undefined, clock, random: Math.random, enabled: true, backoff: "fixed", connectionTimeout: 5_000, maxAttempts: Infinity, minDelay: 5, maxDelay: 5 }),
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Order = "good" | "dear" | "none";
const ORDERS = { good: { items: ["book"], total: 9 }, dear: { items: ["yacht"], total: 1_001 }, none: { items: ["gone"], total: 9 } } as const;
/** What an order may cause, each once. */
const CAUSES: Readonly<Record<Order, readonly string[]>> = {
  good: ["inventory.reserve", "inventory.reserved", "payment.process", "payment.completed", "shipping.create"],
  dear: ["inventory.reserve", "inventory.reserved", "payment.process", "payment.failed", "order.cancel", "payment.refund", "inventory.release"],
  none: ["inventory.reserve", "inventory.failed", "order.cancel", "inventory.release"],
};

/** A connection of an application. Failures on the way are expected. */
function connect(makeLink: () => Link, namespace: string): PatternClient {
  const client = new PatternClient({ makeLink, clock, random: Math.random, randomBytes }, { namespace });
  client.onError(() => {});
  return client;
}

/** A process that runs the saga and its workers. */
async function work(client: PatternClient): Promise<void> {
  // Nothing of the set-up may be lost with a process that dies in it: the next begins where the first would have.
  await Promise.all([client.saga("process_order", { ...orderSaga, timeout: "1h", from: "start", retry: { maxRetries: 1, delay: 1 } }).ready, workers(client)]);
}

/** Orders are placed, somebody works on them, and then what is in the log is checked. */
async function shop(place: Place, namespace: string, orders: readonly Order[], during: (ended: Promise<void>, quiet: () => Promise<void>) => Promise<void>): Promise<void> {
  const observer = connect(place.link, namespace);
  const seen = collector();
  await observer.subscribe("**", seen.handler);
  await observer.publishBatch(orders.map((id) => ["order.created", { id, ...ORDERS[id] }] as const));
  const endings = await observer.subscribe(["saga.process_order.completed", "saga.process_order.compensated"], { from: "start" });
  const ended = async (): Promise<void> => {
    const keys = new Set<string>();
    for await (const { payload } of endings) if (keys.add((payload as { key: string }).key).size === orders.length) break;
  };
  // Whatever was given back, or comes twice, has come.
  const quiet = async (): Promise<void> => expect.poll(async () => (await observer.call("stats") as { queueDepth: number }).queueDepth, { interval: 1 }).toBe(0);
  await during(ended(), quiet);

  const instances = await observer.sagas("process_order").list();
  expect(Object.fromEntries(instances.map(({ key, status }) => [key, status]))).toEqual(Object.fromEntries(orders.map((id) => [id, id === "good" ? "completed" : "compensated"])));
  // What comes behind this was there before.
  await observer.publish("end", {});
  while (seen.events.at(-1)?.type !== "end") await seen.count(seen.events.length + 1);
  for (const order of orders) {
    const own = seen.events.filter(({ type, payload }) => !/^(saga|order\.created)/.test(type) && (payload as { order_id?: string }).order_id === order);
    expect(own.map(({ type }) => type), `${order} in ${namespace}`).toEqual(CAUSES[order]);
  }
  await observer.close();
}

/** One process works until its life of so many messages is over; then another goes on. Says whether the first died. */
async function dies(place: Place, orders: readonly Order[], life: number): Promise<boolean> {
  const namespace = `dies-${orders.join("-")}-${life}`;
  const fate = mortal(place.link, life);
  const [first, second] = [connect(() => fate.link, namespace), connect(place.link, namespace)];
  let died = false;
  await shop(place, namespace, orders, async (ended, quiet) => {
    const working = work(first).catch(() => {});
    // Also one that dies with the last orders' acks on its way.
    const takenOver = fate.cut.then(() => work(second).catch(() => {}));
    await ended;
    await quiet();
    died = fate.isCut;
    if (died) await takenOver;
    else await working;
  });
  void fate.cut.then(() => fate.bury());
  await Promise.all([first, second].map((client) => client.close()));
  return died;
}

/** Two work; one is cut off for so long that the other does it all, comes back, and sends again what it has no answer to. Says whether it was cut off. */
async function comesBack(place: Place, orders: readonly Order[], life: number): Promise<boolean> {
  const namespace = `back-${orders.join("-")}-${life}`;
  const fate = mortal(place.link, life);
  const [first, second] = [connect(() => fate.link, namespace), connect(place.link, namespace)];
  let wasCut = false;
  await shop(place, namespace, orders, async (ended, quiet) => {
    const working = work(first);
    await Promise.race([working, fate.cut]);
    await work(second);
    await ended;
    await quiet();
    wasCut = fate.isCut;
    fate.revive();
    await working;
    // What it sends when it is back stands before this.
    await first.publish("revived", {});
    await quiet();
  });
  void fate.cut.then(() => fate.bury());
  await Promise.all([first, second].map((client) => client.close()));
  return wasCut;
}

describe.each([["memory, in process", memory], ["SQLite, over WebSocket", sqliteServer]])("%s", (_, open) => {
  let place: Place;
  beforeAll(async () => { place = await open(); });
  afterAll(() => place.close());

  for (const [what, run] of [["dies", dies], ["is cut off and comes back", comesBack]] as const) {
    test.each<readonly Order[][]>([[["good"]], [["dear"]], [["good", "dear", "none"]]])(`[P5] a process ${what} at each message: orders %j end completed or compensated, never both, and nothing happens twice`, async (orders) => {
      let life = 1;
      // Some at once, until one is long enough.
      for (let ended = true; ended; ) {
        const lives = Array.from({ length: 8 }, () => life++);
        ended = (await Promise.all(lives.map((one) => run(place, orders, one)))).some(Boolean);
      }
      expect(life).toBeGreaterThan(16);
    });
  }
});
