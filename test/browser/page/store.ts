import type { DBSchema } from "idb";
import { EventRouterError } from "../../../src/core/errors.ts";
import type { LogEvent } from "../../../src/core/log-event.ts";
import type { Log, Store } from "../../../src/core/store.ts";
import { indexedDbConnection, type Connection } from "../../../src/stores/indexeddb-connection.ts";
import { indexedDbStore } from "../../../src/stores/indexeddb.ts";
import { draft, instance, singles } from "../../contract/store/drafts.ts";

let store: Store;
let log: Log;
const heard: string[] = [];
const errors: string[] = [];

/** From here on the page has so much storage: a bucket of its own stands in for the origin's. */
export async function limitStorage(quota: number): Promise<void> {
  const { storageBuckets } = navigator as unknown as { storageBuckets: { open(name: string, options: { quota: number }): Promise<{ indexedDB: IDBFactory }> } };
  const bucket = await storageBuckets.open(`small-${quota}`, { quota });
  Object.defineProperty(globalThis, "indexedDB", { value: bucket.indexedDB });
}

export async function open(name: string): Promise<{ epoch: string; head: number }> {
  store = indexedDbStore(name, { onError: (error) => errors.push(error instanceof EventRouterError ? error.code : String(error)) });
  log = await store.open("default");
  watch();
  return { epoch: log.epoch, head: log.head };
}

function watch(): void {
  heard.length = 0;
  log.watch((events) => heard.push(...events.map(({ line }) => line)));
}

/** Appends the numbers of an instance, some at a time, without waiting for one another. */
export async function appendRun(who: string, from: number, to: number, step: number): Promise<number[]> {
  const one = instance(who);
  const outcomes: Promise<number[]>[] = [];
  for (let n = from; n <= to; n += step) {
    const numbers = Array.from({ length: Math.min(step, to - n + 1) }, (_, i) => n + i);
    outcomes.push(log.append([one.batch(...numbers)]).then(([batch]) => batch!.map((outcome) => (outcome.state === "refused" ? -1 : outcome.seq ?? 0))));
    if (n % 7 === 0) await outcomes.at(-1);
  }
  return (await Promise.all(outcomes)).flat();
}

/** Appends events one by one until that fails. */
export async function appendUntilFull(): Promise<{ code: string; name: string; head: number; read: number }> {
  for (let i = 0; ; i++) {
    try {
      await log.append([singles(draft(`large${i}`, { payload: "x".repeat(40_000) }))]);
    } catch (error) {
      const { code, name } = error as EventRouterError;
      return { code, name, head: log.head, read: (await lines()).length };
    }
  }
}

/** An append that is too large for the storage, and one that is given while that is written; then the second again, by itself. */
export async function appendBehindFailure(): Promise<string[]> {
  // Browsers write text that repeats itself in less room.
  const noise = Array.from(crypto.getRandomValues(new Uint8Array(50_000)), (byte) => byte.toString(36)).join("");
  const append = (id: string, pieces: number): Promise<string> => log.append([singles(draft(id, { payload: Array.from({ length: pieces }, (_, i) => noise.slice(i) + i).join("") }))]).then(() => "kept", (error: EventRouterError) => error.code);
  const large = append("large", 60);
  // A group is taken in the turn behind the first append of it.
  await Promise.resolve();
  await Promise.resolve();
  const fates = await Promise.all([large, append("small", 1)]);
  return [...fates, await append("small", 1)];
}

/** What the transactions that write promise from here on, as the browser understood it, in their order. */
export function watchDurability(): void {
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args: Parameters<typeof transaction>) {
    const made = transaction.apply(this, args);
    if (made.mode === "readwrite") durabilities.push(made.durability);
    return made;
  };
}
const durabilities: string[] = [];

export async function writeAll(): Promise<readonly string[]> {
  await appendRun("a", 1, 3, 1);
  await log.writeBookmarks([["b", "1"]]);
  return durabilities;
}

export async function heardAll(count: number): Promise<string[]> {
  while (heard.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  return heard;
}

export async function lines(): Promise<string[]> {
  return (await log.read(0, { events: 1e6, size: 1e9 })).map(({ line }: LogEvent) => line);
}

export function place(): unknown {
  return { epoch: log.epoch, first: log.first, head: log.head, extent: log.extent };
}

export async function trim(seq: number): Promise<void> { await log.trim(seq); }

/** Waits until the store says that its log is gone, and opens what is there instead. */
export async function reopenLost(): Promise<{ code: string; epoch: string; head: number }> {
  const { code } = await log.lost!;
  log = await store.open("default");
  watch();
  return { code, epoch: log.epoch, head: log.head };
}

/** Another tab, after the storage was cleared, was faster: there is a log in this one's place. Resolves with what an append is told. */
export async function appendToAnother(name: string): Promise<string> {
  const request = indexedDB.open(name);
  await new Promise((resolve) => { request.onsuccess = resolve; });
  const tx = request.result.transaction("logs", "readwrite");
  tx.objectStore("logs").put({ epoch: "another", first: 1, head: 0, trimmed: 0, offset: 0, streamed: false }, "default");
  await new Promise((resolve) => { tx.oncomplete = resolve; });
  request.result.close();
  return log.append([singles(draft("stray"))]).then(() => "kept", (error: EventRouterError) => error.code);
}

export async function waitForError(): Promise<string> {
  while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return errors.shift()!;
}

// An application in three releases, on the connection that the stores stand on.

interface Things extends DBSchema { things: { key: string; value: number } }
interface Release { readonly db: Connection<Things>; readonly events: string[] }
const releases = new Map<string, Release>();

export function release(name: string, version: number): void {
  const events: string[] = [];
  const db = indexedDbConnection<Things>({
    name, version,
    upgrade: (db, from) => { if (from < 1) db.createObjectStore("things"); },
    lost: () => events.push("lost"),
    report: (error) => events.push((error as EventRouterError).code),
  });
  releases.set(name, { db, events });
}

export async function write(name: string, key: string): Promise<void> {
  await releases.get(name)!.db.run(["things"], "readwrite", "strict", async (tx) => { await tx.objectStore("things").put(1, key); });
}

export async function keys(name: string): Promise<string[]> {
  return releases.get(name)!.db.run(["things"], "readonly", "default", (tx) => tx.objectStore("things").getAllKeys());
}

export function told(name: string): readonly string[] { return releases.get(name)!.events; }

/** As a page that knows nothing of us does: it keeps its handle whatever comes. */
export async function hold(name: string, version: number): Promise<void> {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => void request.result.createObjectStore("things");
  await new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error!);
  });
  held = request.result;
}
let held: IDBDatabase | undefined;

export function letGo(): void { held!.close(); }

export async function deleteDatabase(name: string): Promise<void> {
  const request = indexedDB.deleteDatabase(name);
  await new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error!);
  });
}
