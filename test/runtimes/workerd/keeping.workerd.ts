import { abortAllDurableObjects, env, evictDurableObject, runDurableObjectAlarm, runInDurableObject, SELF, type PlatformStub } from "cloudflare:test";
import { expect, test } from "vitest";
import { RawSocket } from "./raw-socket.ts";

const objectOf = (namespace: string, binding: "EVENT_ROUTER" | "SWEEPING" = "EVENT_ROUTER"): PlatformStub => env[binding].get(env[binding].idFromName(namespace));
const line = (n: number, type = "t"): string => JSON.stringify([`e${n}`, type, n]);
const evict = (namespace: string): Promise<void> => evictDurableObject(objectOf(namespace)).catch((error: Error) => {
  if (!error.message.includes("not currently running")) throw error;
});
const sql = (namespace: string, query: string): Promise<Record<string, unknown>[]> => runInDurableObject(objectOf(namespace), (_, { storage }) => storage.sql.exec(query).toArray());
const alarmOf = (namespace: string): Promise<number | null> => runInDurableObject(objectOf(namespace), (_, { storage }) => storage.getAlarm());
async function stats(namespace: string): Promise<Record<string, number>> {
  return (await SELF.fetch(`http://edge/api/v1/stats?namespace=${namespace}`)).json();
}

/** A namespace with a reader, and an event that is held back for so many ms. */
async function heldBack(ns: string, ms: number): Promise<RawSocket> {
  const [reader, writer] = [await RawSocket.welcomed(ns), await RawSocket.welcomed(ns)];
  reader.say(["sub", 1, { topics: ["t"] }]);
  await reader.until(() => reader.named("on").length === 1);
  writer.say(["pub", 1, 1, { as: "later", in: ms }], line(1));
  await writer.until(() => writer.answered(1));
  return reader;
}

/** The storage takes no event. */
async function breakLog(ns: string): Promise<() => Promise<void>> {
  const [table] = await sql(ns, "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'er_log_*'");
  for (const what of ["INSERT", "UPDATE"]) await sql(ns, `CREATE TRIGGER broken_${what} BEFORE ${what} ON ${String(table!.name)} BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END`);
  return async () => { for (const what of ["INSERT", "UPDATE"]) await sql(ns, `DROP TRIGGER broken_${what}`); };
}

test("[P1] an alarm whose work fails in the storage is not lost: it is done once the storage works again, and once", async () => {
  const ns = "failing-storage";
  const reader = await heldBack(ns, 1_200);
  const mend = await breakLog(ns);
  // Real time: alarms are the platform's.
  while ((await stats(ns)).edge_alarms === 0) await new Promise((resolve) => { setTimeout(resolve, 50); });
  expect(reader.seqs).toEqual([]);
  // Also if the object ends before it tries again: another alarm is there. An object that waits to try is awake, so it is not put away, but ended.
  await abortAllDurableObjects();
  expect(await alarmOf(ns)).not.toBeNull();
  await mend();
  const again = await RawSocket.welcomed(ns);
  again.say(["sub", 1, { topics: ["t"], from: "start" }]);
  await again.until(() => again.seqs.length > 0);
  await runDurableObjectAlarm(objectOf(ns));
  expect((await stats(ns)).delayed_events).toBe(0);
  expect(again.events.map(([, , , id]) => id)).toEqual(["e1"]);
});

test("[P4] an alarm that throws after it has done its work comes again: what is due is done once", async () => {
  const ns = "throwing-alarm";
  const reader = await heldBack(ns, 3_600_000);
  await runInDurableObject(objectOf(ns), async (instance) => {
    const { alarm } = instance;
    let failures = 2;
    instance.alarm = async () => {
      await alarm.call(instance);
      if (failures-- > 0) throw new Error("after its work");
    };
  });
  for (let i = 0; i < 4; i++) await runDurableObjectAlarm(objectOf(ns)).catch(() => {});
  // An hour has not passed: the timer is there still, after all that.
  await evict(ns);
  expect(((await alarmOf(ns))! - Date.now()) / 60_000).toBeGreaterThan(50);
  expect(reader.seqs).toEqual([]);
});

test("[P1] a deadline within a second survives the end of its object", async () => {
  const ns = "near";
  await heldBack(ns, 900);
  // Stored with it: who looks later wakes the object by that.
  expect(await alarmOf(ns)).not.toBeNull();
  await abortAllDurableObjects();
  // Nobody asks the object for anything: its alarm wakes it.
  const reader = await (async () => {
    while ((await alarmOf(ns)) !== null) await new Promise((resolve) => { setTimeout(resolve, 50); });
    return RawSocket.welcomed(ns);
  })();
  reader.say(["sub", 1, { topics: ["t"], from: "start" }]);
  await reader.until(() => reader.seqs.length === 1);
});

test("a ticket is good after the object has slept, once", async () => {
  const ns = "sleeping-ticket";
  const issued = await SELF.fetch(`http://edge/api/v1/tickets?namespace=${ns}`, { method: "POST" });
  const { ticket } = (await issued.json()) as { ticket: string };
  await evict(ns);
  const socket = await RawSocket.welcomed(ns, {}, {}, `&ticket=${ticket}`);
  expect(socket.named("welcome")).toHaveLength(1);
  await evict(ns);
  const again = await RawSocket.open(ns, {}, `&ticket=${ticket}`);
  again.say(["hello", { v: 1, namespace: ns }]);
  await again.until(() => again.named("bye").length === 1).catch(() => {});
  expect(again.named("bye")[0]![1].slice(0, 2)).toEqual(["AuthenticationError", "ERR_TICKET"]);
  expect(await sql(ns, "SELECT * FROM er_tickets")).toEqual([]);
});

test("a peer that is gone without a word is swept when the object is awake; one that gives signs of life stays", async () => {
  const ns = "sweeping";
  const SWEEPING = { "X-Worker": "sweeping" };
  const [dead, alive] = [await RawSocket.welcomed(ns, {}, SWEEPING), await RawSocket.welcomed(ns, {}, SWEEPING)];
  // Real time, and a heartbeat of 50 ms: heartbeats are answered by the platform, by its own clock.
  const beating = setInterval(() => alive.say("ping"), 20);
  await evictDurableObject(objectOf(ns, "SWEEPING"));
  while (dead.closed === undefined) {
    await SELF.fetch(`http://edge/api/v1/stats?namespace=${ns}`, { headers: SWEEPING });
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  clearInterval(beating);
  expect(dead.named("bye")[0]![1].slice(0, 2)).toEqual(["TimeoutError", "ERR_SILENT"]);
  expect([dead.closed, alive.closed]).toEqual([4408, undefined]);
});

test("the meter counts each wake, message and request, whatever the object sleeps through", async () => {
  const ns = "metered";
  const socket = await RawSocket.welcomed(ns);
  for (let i = 1; i <= 5; i++) {
    await evict(ns);
    socket.say(["call", i, "health"]);
    await socket.until(() => socket.answered(i));
  }
  await evict(ns);
  expect(await stats(ns)).toMatchObject({ edge_wakes: 7, edge_messages: 6, edge_requests: 2 });
  // Its last socket goes: it is written down, after a moment's rest.
  socket.close();
  const written = async (): Promise<Record<string, number>> => {
    const [row] = await sql(ns, "SELECT value FROM er_meta WHERE key = 'usage'");
    return row === undefined ? {} : (JSON.parse(String(row.value)) as Record<string, number>);
  };
  while ((await written()).messages !== 6) await new Promise((resolve) => { setTimeout(resolve, 50); });
  await evict(ns);
  expect(await stats(ns)).toMatchObject({ edge_wakes: 8, edge_messages: 6, edge_requests: 3 });
  while ((await written()).requests !== 3) await new Promise((resolve) => { setTimeout(resolve, 50); });
  await evict(ns);
  expect(await stats(ns)).toMatchObject({ edge_wakes: 9, edge_messages: 6, edge_requests: 4 });
});
