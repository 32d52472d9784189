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
