import { abortAllDurableObjects, env, evictDurableObject, runInDurableObject, SELF, type PlatformStub } from "cloudflare:test";
import { expect, test } from "vitest";
import { EventRouterClient } from "../../../src/event-router.ts";
import { relayName } from "../../../src/hosts/relays/object-name.ts";
import { edgeSockets } from "./edge-socket.ts";
import { fullKey, readerKey } from "./guarded.ts";
import { RawSocket } from "./raw-socket.ts";

const RELAYED = { "X-Worker": "relayed" };
const GUARDED = { "X-Worker": "guarded-relayed" };
const RELAYS = [1, 2, 3];

const objectOf = (name: string): PlatformStub => env.RELAYED.get(env.RELAYED.idFromName(name));
const line = (n: number, type = "t"): string => JSON.stringify([`e${n}`, type, n]);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** Put away, as after ten idle seconds: the memory is gone, the sockets stay. */
const evict = (name: string): Promise<void> => evictDurableObject(objectOf(name)).catch((error: Error) => {
  // What was said last has not reached it yet; it wakes for that later.
  if (!error.message.includes("not currently running")) throw error;
});
const evictOwner = evict;
const evictRelays = async (ns: string): Promise<void> => void (await Promise.all(RELAYS.map((relay) => evict(relayName(ns, relay)))));

const by = (ns: string, relay: number, hello: object = {}): Promise<RawSocket> => RawSocket.welcomed(ns, hello, RELAYED, `&relay=${relay}`);

/** Relays that the owner tells of its log. */
const followers = (ns: string): Promise<unknown[]> => runInDurableObject(objectOf(ns), (_, { storage }) => storage.sql.exec("SELECT relay FROM er_relays ORDER BY relay").toArray().map(({ relay }) => relay));

async function stats(ns: string): Promise<Record<string, number>> {
  return (await SELF.fetch(`http://edge/api/v1/stats?namespace=${ns}`, { headers: RELAYED })).json();
}

/** Clients of a worker, which may become another. */
function clients(namespace: string): { make(): EventRouterClient; cut(): void; through(worker: string): void; close(): Promise<void> } {
  const headers = { "X-Worker": "relayed" };
  const { EdgeSocket, cut } = edgeSockets(headers);
  const made: EventRouterClient[] = [];
  return {
    make() {
      const client = new EventRouterClient({ namespace, url: "ws://edge", WebSocket: EdgeSocket, reconnect: { minDelay: 5, maxDelay: 50 } });
      made.push(client);
      return client;
    },
    cut,
    through: (worker) => { headers["X-Worker"] = worker; },
    close: async () => void (await Promise.all(made.map((client) => client.close()))),
  };
}

/** What a subscription was given, and who waits for it. */
function collected(): { readonly seen: unknown[]; handler(event: { readonly payload: unknown }): void; count(number: number): Promise<unknown[]> } {
  const seen: unknown[] = [];
  let told = (): void => {};
  return {
    seen,
    handler({ payload }) {
      seen.push(payload);
      told();
    },
    async count(number) {
      while (seen.length < number) await new Promise<void>((resolve) => { told = resolve; });
      return seen;
    },
  };
}

test("[P2] [P3] owner and relays are put away between every two steps: sockets stay, each reader has each event once, in order", async () => {
  const ns = "relay.steps";
  const readers = await Promise.all([0, ...RELAYS].map((relay) => by(ns, relay)));
  const writer = await by(ns, 2);
  await evictRelays(ns);
  for (const reader of readers) reader.say(["sub", 1, { topics: ["t"] }]);
  for (const reader of readers) await reader.until(() => reader.named("on").length === 1);
  let n = 0;
  const publish = async (): Promise<void> => {
    writer.say(["pub", ++n, 1], line(n));
    await writer.until(() => writer.answered(n));
  };
  const there = async (): Promise<void> => { for (const reader of readers) await reader.until(() => reader.seqs.length === n); };
  for (const putAway of [evictOwner, evictRelays, async () => { await evictOwner(ns); await evictRelays(ns); }]) {
    await putAway(ns);
    await publish();
    await putAway(ns);
    await there();
    await putAway(ns);
    for (const reader of readers) reader.say(["ack", reader.received, 1, n]);
    await putAway(ns);
    // Not by way of a relay.
    const response = await SELF.fetch(`http://edge/api/v1/events?namespace=${ns}`, { method: "POST", headers: { ...RELAYED, "Content-Type": "application/json" }, body: '{"type":"t","payload":0}' });
    // An answer that is not read keeps the object.
    expect([response.status, await response.json()]).toEqual([201, expect.anything()]);
    n++;
    await there();
  }
  for (const reader of readers) expect([reader.seqs, reader.closed, reader.named("gap")]).toEqual([upTo(n), undefined, []]);
});

test("[P1] [P9] an event that was published by way of a relay is in the owner's log when it is acknowledged, whoever ends then; epoch and seq are the owner's", async () => {
  const ns = "relay.ack";
  const writer = await by(ns, 1);
  writer.say(["pub", 1, 2], line(1), line(2));
  await writer.until(() => writer.answered(1));
  expect(writer.named("pub")[0]![3]).toEqual([1, 2]);
  await abortAllDurableObjects();
  const [there, elsewhere] = [await by(ns, 0), await by(ns, 3)];
  expect([there.named("welcome")[0]![1].head, elsewhere.named("welcome")[0]![1].head]).toEqual([2, 2]);
  expect(elsewhere.named("welcome")[0]![1].epoch).toBe(writer.named("welcome")[0]![1].epoch);
  // Said again, to another relay: it is there already.
  elsewhere.say(["pub", 1, 1], line(1));
  await elsewhere.until(() => elsewhere.answered(1));
  expect(elsewhere.named("pub")[0]![3]).toEqual([[1]]);
});

test("[P2] [P4] relays and owner are ended in the midst of it: clients come back by themselves, by other relays, and go on exactly", async () => {
  const { make, close } = clients("relay.abort");
  const [publisher, ...readers] = Array.from({ length: 5 }, make) as [EventRouterClient, ...EventRouterClient[]];
  const got = readers.map(() => collected());
  await Promise.all(readers.map((reader, i) => reader.subscribe("n", got[i]!.handler)));
  const receipts: Promise<unknown>[] = [];
  for (let i = 1; i <= 300; i++) {
    receipts.push(publisher.publish("n", i));
    if (i % 100 !== 50) continue;
    await receipts[i - 20];
    await abortAllDurableObjects();
  }
  await Promise.all(receipts);
  for (const { count } of got) expect(await count(300)).toEqual(upTo(300));
  await close();
});

test("[P2] the number of relays changes, to more, to none and back: clients resume exactly", async () => {
  const { make, cut, through, close } = clients("relay.change");
  const [publisher, ...readers] = Array.from({ length: 6 }, make) as [EventRouterClient, ...EventRouterClient[]];
  const got = readers.map(() => collected());
  await Promise.all(readers.map((reader, i) => reader.subscribe("n", got[i]!.handler)));
  let n = 0;
  for (const worker of ["relayed-more", "relayed-none", "relayed"]) {
    through(worker);
    const receipts = Array.from({ length: 40 }, () => publisher.publish("n", ++n));
    cut();
    receipts.push(...Array.from({ length: 40 }, () => publisher.publish("n", ++n)));
    await Promise.all(receipts);
    for (const { count } of got) expect(await count(n)).toEqual(upTo(n));
  }
  await close();
});

test("[I11] members of a group and a named reader at several relays have each event, whoever of the objects is put away or ends", async () => {
  const { make, close } = clients("relay.group");
  const publisher = make();
  const done = new Set<unknown>();
  let told = (): void => {};
  for (let i = 0; i < 3; i++) await make().subscribe({ topics: "job", group: "workers", handler: ({ payload }) => { done.add(payload); told(); } });
  const named = collected();
  await make().subscribe({ topics: "job", durable: "report", handler: named.handler });
  const ends: (() => Promise<unknown>)[] = [() => evictRelays("relay.group"), () => evictOwner("relay.group"), abortAllDurableObjects];
  for (let i = 1; i <= 90; i++) {
    await publisher.publish("job", i);
    if (i % 30 === 15) await ends[(i - 15) / 30]!();
  }
  while (done.size < 90) await new Promise<void>((resolve) => { told = resolve; });
  await named.count(90);
  // What had not been written down as finished comes again; nothing is left out.
  expect([...new Set(named.seen)].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(90));
  await close();
});

test("[P7] a request from one relay is answered at another", async () => {
  const ns = "relay.request";
  const [asker, responder] = [await by(ns, 1), await by(ns, 2)];
  responder.say(["serve", 1, ["sum"]]);
  await responder.until(() => responder.named("on").length === 1);
  asker.say(["req", 1, 20_000], line(1, "sum"));
  await responder.until(() => responder.named("ask").length === 1);
  responder.say(["answer", responder.named("ask")[0]![1]], "42");
  await asker.until(() => asker.answered(1));
  expect(asker.named("ok")[0]![2]).toEqual(expect.arrayContaining(["sum", 42]));
});

test("what has work at the owner is asked to connect again when its relay has slept; what only reads is not", async () => {
  const ns = "relay.asleep";
  const [worker, reader, writer] = [await by(ns, 1), await by(ns, 1), await by(ns, 0)];
  worker.say(["sub", 1, { topics: ["job"], group: "g" }]);
  reader.say(["sub", 1, { topics: ["job"] }]);
  for (const one of [worker, reader]) await one.until(() => one.named("on").length === 1);
  await evict(relayName(ns, 1));
  writer.say(["pub", 1, 1], line(1, "job"));
  await reader.until(() => reader.seqs.length === 1);
  await worker.until(() => worker.named("bye").length === 1).catch(() => {});
  expect(worker.named("bye")[0]![1].slice(0, 4)).toEqual(["ConnectionError", "ERR_ASLEEP", expect.any(String), 1]);
  expect(reader.closed).toBeUndefined();
  // The job is not lost with it.
  const next = await by(ns, 3);
  next.say(["sub", 1, { topics: ["job"], group: "g" }]);
  await next.until(() => next.named("job").length === 1);
});

test("who does not say by which relay comes in by any: all have some", async () => {
  const ns = "relay.spread";
  // That one of three is left out has a chance of three in ten million.
  const sockets = await Promise.all(Array.from({ length: 40 }, () => RawSocket.welcomed(ns, {}, RELAYED)));
  expect(await followers(ns)).toEqual(RELAYS);
  expect(await stats(ns)).toMatchObject({ connections: sockets.length + 1, routers: RELAYS.length + 1 });
});

test("the owner tells relays that somebody is connected to, and no others", async () => {
  const ns = "relay.idle";
  const [one, two, writer] = [await by(ns, 1), await by(ns, 2), await by(ns, 0)];
  for (const reader of [one, two]) {
    reader.say(["sub", 1, { topics: ["t"] }]);
    await reader.until(() => reader.named("on").length === 1);
  }
  expect(await followers(ns)).toEqual([1, 2]);
  one.close();
  let n = 0;
  while ((await followers(ns)).length > 1) {
    writer.say(["pub", ++n, 1], line(n));
    await writer.until(() => writer.answered(n));
    await two.until(() => two.seqs.length === n);
  }
  expect(await followers(ns)).toEqual([2]);
  // Who comes back to it begins where the log is now, and misses nothing from there on.
  const again = await by(ns, 1);
  again.say(["sub", 1, { topics: ["t"], from: "start" }]);
  writer.say(["pub", ++n, 1], line(n));
  await again.until(() => again.seqs.length === n);
  expect([again.seqs, await followers(ns)]).toEqual([upTo(n), [1, 2]]);
});

test("[I12] the owner's figures are of all", async () => {
  const ns = "relay.stats";
  const readers = await Promise.all(RELAYS.map((relay) => by(ns, relay)));
  for (const reader of readers) reader.say(["sub", 1, { topics: ["t"] }]);
  for (const reader of readers) await reader.until(() => reader.named("on").length === 1);
  readers[0]!.say(["pub", 1, 1], line(1));
  for (const reader of readers) await reader.until(() => reader.seqs.length === 1);
  expect(await stats(ns)).toMatchObject({ total_events: 1, active_subscriptions: 3, events_delivered: 3, routers: 4, leads: 1 });
});

test("[I15] a ticket of the owner opens one session, at whichever relay; a key may do at a relay what it may do", async () => {
  const ns = "relay.tickets";
  const ticketOf = async (): Promise<string> => ((await (await SELF.fetch(`http://edge/api/v1/tickets?namespace=${ns}`, { method: "POST", headers: { ...GUARDED, "X-API-Key": readerKey } })).json()) as { ticket: string }).ticket;
  const ticket = await ticketOf();
  const reader = await RawSocket.welcomed(ns, {}, GUARDED, `&relay=1&ticket=${ticket}`);
  expect(reader.named("welcome")[0]![1].subject).toBe("key:reader");
  const again = await RawSocket.open(ns, GUARDED, `&relay=2&ticket=${ticket}`);
  again.say(["hello", { v: 1, namespace: ns }]);
  await again.until(() => again.named("bye").length === 1).catch(() => {});
  expect(again.named("bye")[0]![1].slice(0, 2)).toEqual(["AuthenticationError", "ERR_TICKET"]);
  reader.say(["sub", 1, { topics: ["news.*"] }], ["sub", 2, { topics: ["order.*"] }], ["pub", 1, 1], line(1, "news.a"));
  await reader.until(() => reader.named("end").length === 1 && reader.answered(1));
  expect(reader.named("end")[0]!.slice(1)).toEqual([2, expect.arrayContaining(["PermissionError"])]);
  expect(JSON.stringify(reader.frames)).toContain("ERR_PERMISSION");
  const root = await RawSocket.welcomed(ns, { auth: { type: "api_key", key: fullKey } }, GUARDED, "&relay=2");
  root.say(["call", 1, "ticket"], ["pub", 2, 1], line(2, "news.a"));
  await root.until(() => root.answered(1) && root.answered(2));
  await reader.until(() => reader.seqs.length === 1);
  // One that was asked for at a relay is good at another.
  const { ticket: other } = root.named("ok")[0]![2] as { ticket: string };
  const third = await RawSocket.welcomed(ns, {}, GUARDED, `&relay=1&ticket=${other}`);
  expect(third.named("welcome")[0]![1].subject).toBe("key:root");
});

test.each([["relay=4", "relay must be 0 (none) to 3"], ["relay=x", "relay must be 0 (none) to 3"]])("a relay that there is not is refused: %s", async (query, message) => {
  const response = await SELF.fetch(`http://edge/ws?namespace=n&${query}`, { headers: { Upgrade: "websocket", ...RELAYED } });
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(message)]);
});
