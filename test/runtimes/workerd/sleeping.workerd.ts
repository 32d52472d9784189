import { abortAllDurableObjects, env, evictDurableObject, runDurableObjectAlarm, runInDurableObject, SELF, type PlatformStub } from "cloudflare:test";
import { expect, test } from "vitest";
import { EventRouterClient } from "../../../src/event-router.ts";
import { edgeSockets } from "./edge-socket.ts";
import { RawSocket } from "./raw-socket.ts";

const objectOf = (namespace: string): PlatformStub => env.EVENT_ROUTER.get(env.EVENT_ROUTER.idFromName(namespace));
const line = (n: number, type = "t"): string => JSON.stringify([`e${n}`, type, n]);

/** The object is put away, as after ten idle seconds: its memory is gone, its sockets stay. */
let evictions = 0;
const evict = (namespace: string): Promise<void> => evictDurableObject(objectOf(namespace)).then(() => void evictions++, (error: Error) => {
  // What was said last has not reached it yet; it wakes for that later.
  if (!error.message.includes("not currently running")) throw error;
});

async function stats(namespace: string): Promise<Record<string, number>> {
  return (await SELF.fetch(`http://edge/api/v1/stats?namespace=${namespace}`)).json();
}

test("[P1] [P2] [P3] [P7] [I10] the object is put away between every two steps of a session: sockets stay, nothing is lost, nothing comes twice", async () => {
  const ns = "steps";
  const before = evictions;
  const one = await RawSocket.open(ns);
  const other = await RawSocket.open(ns);
  await evict(ns);
  for (const socket of [one, other]) socket.say(["hello", { v: 1, namespace: ns, name: socket === one ? "one" : "other" }]);
  for (const socket of [one, other]) await socket.until(() => socket.named("welcome").length === 1);
  await evict(ns);
  one.say(["sub", 1, { topics: ["t"], filter: { payload: { $gte: 0 } } }]);
  await one.until(() => one.named("on").length === 1);
  await evict(ns);
  other.say(["pub", 1, 2], line(1), line(2));
  await other.until(() => other.answered(1));
  await one.until(() => one.seqs.length === 2);
  await evict(ns);
  other.say(["pub", 2, 1], line(3));
  await one.until(() => one.seqs.length === 3);
  await evict(ns);
  one.say(["ack", one.received, 1, 3]);
  await evict(ns);
  other.say(["pub", 3, 1, { as: "all" }], line(4));
  await one.until(() => one.seqs.length === 4);
  await evict(ns);
  // Said again after a cut that was none: it is there already.
  other.say(["pub", 4, 1], line(4));
  await other.until(() => other.answered(4));
  expect(other.named("pub").at(-1)![3]).toEqual([[4]]);
  await evict(ns);
  one.say(["serve", 2, ["sum"]]);
  await one.until(() => one.named("on").length === 2);
  await evict(ns);
  other.say(["req", 5, 20_000], line(9, "sum"));
  await one.until(() => one.named("ask").length === 1);
  await evict(ns);
  one.say(["answer", one.named("ask")[0]![1]], "42");
  await other.until(() => other.answered(5));
  expect(other.named("ok")[0]![2]).toEqual(expect.arrayContaining(["sum", 42]));
  await evict(ns);
  one.say(["sub", 3, { topics: ["job.*"], group: "workers" }]);
  await one.until(() => one.named("on").length === 3);
  await evict(ns);
  other.say(["pub", 6, 2], line(5, "job.a"), line(6, "job.b"));
  await one.until(() => one.named("job").length === 1);
  await evict(ns);
  one.say(["done", 3, one.named("job")[0]![2]]);
  await one.until(() => one.named("job").length === 2);
  await evict(ns);
  one.say(["nack", 3, one.named("job")[1]![2], { error: { name: "Error", message: "again" } }]);
  await one.until(() => one.named("job").length === 3);
  const jobs = one.named("job");
  expect(jobs.map(([, , , attempt, event]) => [event[0], attempt])).toEqual([[5, 1], [6, 1], [6, 2]]);
  expect(new Set(jobs.map(([, , token]) => token)).size).toBe(3);
  await evict(ns);
  // A late word on an attempt that is over settles nothing.
  one.say(["nack", 3, jobs[1]![2], {}]);
  await evict(ns);
  one.say(["done", 3, jobs[2]![2]]);
  await evict(ns);
  one.say(["call", 7, "stats"]);
  await one.until(() => one.answered(7));
  expect(one.seqs).toEqual([1, 2, 3, 4]);
  expect([one.closed, other.closed, one.named("job").length, one.named("welcome").length]).toEqual([undefined, undefined, 3, 1]);
  const { edge_wakes: wakes } = await stats(ns);
  expect(wakes).toBe(1 + evictions - before);
});

test("[P11] a reader without credit stays without it while the object sleeps, and gets the rest when it has some", async () => {
  const ns = "credit";
  const [reader, writer] = [await RawSocket.welcomed(ns), await RawSocket.welcomed(ns)];
  reader.say(["sub", 1, { topics: ["t"] }]);
  await reader.until(() => reader.named("on").length === 1);
  for (let i = 0; i < 4; i++) writer.say(["pub", i, 100], ...Array.from({ length: 100 }, (_, n) => line(i * 100 + n + 1)));
  await writer.until(() => writer.answered(3));
  await reader.until(() => reader.seqs.length === 256);
  await evict(ns);
  writer.say(["pub", 9, 1], line(401));
  await writer.until(() => writer.answered(9));
  await evict(ns);
  expect(reader.seqs).toHaveLength(256);
  reader.say(["ack", reader.received, 1, 100]);
  await reader.until(() => reader.seqs.length === 356);
  await evict(ns);
  reader.say(["ack", reader.received, 1, 356]);
  await reader.until(() => reader.seqs.length === 401);
  expect(reader.seqs).toEqual(Array.from({ length: 401 }, (_, i) => i + 1));
});

test("a session too large for its socket's attachment sleeps in the database, and leaves nothing there", async () => {
  const ns = "large";
  const [reader, writer] = [await RawSocket.welcomed(ns), await RawSocket.welcomed(ns)];
  reader.say(...Array.from({ length: 300 }, (_, i) => ["sub", i, { topics: [`topic.number.${i}`, "never.used.but.long.enough.to.count"] }] as const));
  await reader.until(() => reader.named("on").length === 300);
  await evict(ns);
  writer.say(["pub", 1, 1], line(1, "topic.number.299"));
  await reader.until(() => reader.seqs.length === 1);
  const kept = () => runInDurableObject(objectOf(ns), (_, { storage }) => storage.sql.exec("SELECT id FROM er_sleepers").toArray().length);
  expect(await kept()).toBe(1);
  reader.close();
  await writer.until(() => true);
  while ((await kept()) > 0) await stats(ns);
  expect(await kept()).toBe(0);
});

test("[P2] [P4] the object is ended in the midst of it: clients come back by themselves and go on exactly", async () => {
  const { EdgeSocket } = edgeSockets();
  const make = (): EventRouterClient => new EventRouterClient({ namespace: "abort", url: "ws://edge", WebSocket: EdgeSocket, reconnect: { minDelay: 20, maxDelay: 200 } });
  const [publisher, reader] = [make(), make()];
  const seen: unknown[] = [];
  let told = (): void => {};
  await reader.subscribe("n", (event) => {
    seen.push(event.payload);
    told();
  });
  const receipts: Promise<unknown>[] = [];
  for (let i = 0; i < 300; i++) {
    receipts.push(publisher.publish("n", i));
    if (i % 100 === 50) {
      await receipts[i - 20];
      await abortAllDurableObjects();
    }
  }
  await Promise.all(receipts);
  while (seen.length < 300) await new Promise<void>((resolve) => { told = resolve; });
  expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i));
  await Promise.all([publisher.close(), reader.close()]);
});

test("an alarm that comes twice does what is due once", async () => {
  const ns = "alarms";
  const [reader, writer] = [await RawSocket.welcomed(ns), await RawSocket.welcomed(ns)];
  reader.say(["sub", 1, { topics: ["t"] }]);
  await reader.until(() => reader.named("on").length === 1);
  // Real time: an alarm is the platform's, and its clock cannot be moved.
  writer.say(["pub", 1, 1, { as: "later", in: 1_500 }], line(1));
  await writer.until(() => writer.answered(1));
  await evict(ns);
  await reader.until(() => reader.seqs.length === 1);
  await runInDurableObject(objectOf(ns), async (instance) => {
    await instance.alarm();
    await instance.alarm();
  });
  await runDurableObjectAlarm(objectOf(ns));
  writer.say(["pub", 2, 1], line(2));
  await reader.until(() => reader.seqs.length === 2);
  expect(reader.events.map(([, , , id]) => id)).toEqual(["e1", "e2"]);
});

test("a deadline that is far has one alarm, stored with what it is for; nothing due, no alarm", async () => {
  const ns = "far";
  const writer = await RawSocket.welcomed(ns);
  const alarm = () => runInDurableObject(objectOf(ns), (_, { storage }) => storage.getAlarm());
  writer.say(["pub", 1, 1], line(1));
  await writer.until(() => writer.answered(1));
  expect(await alarm()).toBeNull();
  const now = Date.now();
  writer.say(["pub", 2, 1, { as: "later", in: 3_600_000 }], line(2));
  await writer.until(() => writer.answered(2));
  await evict(ns);
  expect((await alarm())! - now).toBeGreaterThanOrEqual(3_600_000);
  expect((await alarm())! - Date.now()).toBeLessThanOrEqual(3_630_000);
});

test("who is not let in makes an object store nothing", async () => {
  const ns = "strangers";
  const socket = await RawSocket.open(ns);
  socket.say(["hello", { v: 1, namespace: "another" }]);
  await socket.until(() => socket.named("bye").length === 1).catch(() => {});
  expect(socket.named("bye")[0]![1].slice(0, 3)).toEqual(["ValidationError", "ERR_NAMESPACE", expect.stringContaining("/ws?namespace=another")]);
  const tables = await runInDurableObject(objectOf(ns), (_, { storage }) => storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'er!_%' ESCAPE '!'").toArray());
  expect(tables).toEqual([]);
});

test("a ping is answered", async () => {
  const socket = await RawSocket.welcomed("ping");
  socket.say("ping");
  await socket.until(() => socket.pongs === 1);
});

test("[P4] rows: 100 events in one frame cost at most 1.2 rows written an event, and the meter tells what it costs", async () => {
  const ns = "rows";
  const writer = await RawSocket.welcomed(ns);
  writer.say(["pub", 1, 1], line(0));
  await writer.until(() => writer.answered(1));
  const before = await stats(ns);
  for (let i = 1; i <= 5; i++) {
    writer.say(["pub", i + 1, 100, { as: "each", run: 1 }], ...Array.from({ length: 100 }, (_, n) => JSON.stringify([`evt_0Vd3kQx2aaaaaaaaaaa${String(i * 100 + n).padStart(6, "0")}`, "t", n])));
    await writer.until(() => writer.answered(i + 1));
  }
  const after = await stats(ns);
  expect((after.edge_rows_written! - before.edge_rows_written!) / 500).toBeLessThanOrEqual(1.2);
  expect(after).toMatchObject({ edge_prices_of: "2026-11", edge_messages: 7, total_events: 501 });
  expect(after.edge_cost_usd).toBeGreaterThan(0);
  const metrics = await (await SELF.fetch(`http://edge/metrics?namespace=${ns}`)).text();
  expect(metrics).toContain(`event_router_events_published_total{namespace="${ns}"} 501`);
  expect(metrics).toMatch(/^event_router_edge_rows_written \d+$/m);
});
