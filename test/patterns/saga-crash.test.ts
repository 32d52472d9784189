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

/** One process works on the orders until its life of so many messages is over; then another goes on. Says whether the first died. */
async function run(place: Place, orders: readonly Order[], life: number): Promise<boolean> {
  const fate = mortal(life);
  const connect = (makeLink: () => Link): PatternClient => {
    const client = new PatternClient({ makeLink, clock, random: Math.random, randomBytes }, { namespace: `${orders.join("-")}-${life}` });
    client.onError(() => {});
    return client;
  };
  const observer = connect(place.link);
  const seen = collector();
  await observer.subscribe("**", seen.handler);
  const process = async (makeLink: () => Link): Promise<PatternClient> => {
    const client = connect(makeLink);
    // Nothing of the set-up may be lost with a process that dies in it: the next begins where the first would have.
    await Promise.all([client.saga("process_order", { ...orderSaga, timeout: "1h", from: "start", retry: { maxRetries: 1, delay: 1 } }).ready, workers(client)]);
    return client;
  };
  await observer.publishBatch(orders.map((id) => ["order.created", { id, ...ORDERS[id] }] as const));
  const clients: PatternClient[] = [];
  const ended = observer.subscribe(["saga.process_order.completed", "saga.process_order.compensated"], { from: "start" });
  const all = ended.then(async (events) => {
    const keys = new Set<string>();
    for await (const { payload } of events) if (keys.add((payload as { key: string }).key).size === orders.length) break;
  });
  const first = process(() => fate.link(place.link()));
  first.then((client) => clients.push(client), () => {});
  // Also one that dies with the last orders' acks on its way.
  let over = false;
  const second = fate.died.then(async () => {
    if (over) fate.bury();
    else clients.push(await process(place.link));
  });
  await all;
  // Whatever was given back, or comes twice, has come.
  await expect.poll(async () => (await observer.call("stats") as { queueDepth: number }).queueDepth, { interval: 1, timeout: 10_000 }).toBe(0);

  const instances = await observer.sagas("process_order").list();
  expect(Object.fromEntries(instances.map(({ key, status }) => [key, status]))).toEqual(Object.fromEntries(orders.map((id) => [id, id === "good" ? "completed" : "compensated"])));
  // What comes behind this was there before.
  await observer.publish("end", {});
  while (seen.events.at(-1)?.type !== "end") await seen.count(seen.events.length + 1);
  for (const order of orders) {
    const own = seen.events.filter(({ type, payload }) => !/^(saga|order\.created)/.test(type) && (payload as { order_id?: string }).order_id === order);
    expect(own.map(({ type }) => type), `${order}, life ${life}`).toEqual(CAUSES[order]);
  }
  if (fate.dead) await second;
  over = true;
  fate.bury();
  await Promise.all([...clients, observer].map((client) => client.close()));
  await first.then((client) => client.close(), () => {});
  return fate.dead;
}

describe.each([["memory, in process", memory], ["SQLite, over WebSocket", sqliteServer]])("a process dies at each message it sends or gets: %s", (_, open) => {
  let place: Place;
  beforeAll(async () => { place = await open(); });
  afterAll(() => place.close());

  test.each<readonly Order[][]>([[["good"]], [["dear"]], [["good", "dear", "none"]]])("[P5] the orders %j of the seed's saga end completed or compensated, never both, and nothing happens twice", async (orders) => {
    let life = 1;
    // Some at once, until one is long enough.
    for (let died = true; died; ) {
      const lives = Array.from({ length: 8 }, () => life++);
      died = (await Promise.all(lives.map((one) => run(place, orders, one)))).every(Boolean);
    }
    expect(life).toBeGreaterThan(30);
  }, 60_000);
});
