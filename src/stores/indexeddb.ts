import { randomText } from "../core/event-id.ts";
import { EventRouterError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { indexedDbConnection } from "./indexeddb-connection.ts";
import { firstBlock } from "./indexeddb-blocks.ts";
import { explain } from "./indexeddb-errors.ts";
import { indexedDbLog, type IndexedDbLog } from "./indexeddb-log.ts";
import { SCHEMA_VERSION, upgradeSchema, type LogRecord, type Schema } from "./indexeddb-schema.ts";

export interface IndexedDbStoreOptions {
  /** Where a new log's epoch comes from; default: `crypto`. */
  randomBytes?(count: number): Uint8Array;
  /** Gets what a watching listener throws, and what nobody waits for, such as another tab that holds up an upgrade; default: an uncaught error. */
  onError?(error: unknown): void;
}

/**
 * A store in the browser's IndexedDB, which all tabs and workers of an origin may open at the same time under one name: seqs are given inside the transaction,
 * and each hears what the others append. An append outlives a closed tab and a killed browser; not that the user or the browser clears the site's storage:
 * then the log is made anew, with another epoch.
 *
 * @example
 * const store = indexedDbStore("my-app");
 */
export function indexedDbStore(name: string, { randomBytes = (count) => crypto.getRandomValues(new Uint8Array(count)), onError = throwLater }: IndexedDbStoreOptions = {}): Store {
  const logs = new Map<string, Promise<IndexedDbLog>>();
  const refresh = (): void => logs.forEach((log) => void log.then((one) => one.refresh(), () => {}));
  const connection = indexedDbConnection<Schema>({ name, version: SCHEMA_VERSION, upgrade: upgradeSchema, lost: refresh, report: onError });
  const channel = new BroadcastChannel(`event-router store ${name}`);
  channel.onmessage = refresh;
  // Messages to a tab that was frozen, or kept for the back button, may have been lost.
  const wakes = ["pageshow", "resume", "visibilitychange"];
  const { document } = globalThis as { document?: EventTarget };
  for (const wake of wakes) (wake === "pageshow" ? globalThis : document)?.addEventListener?.(wake, refresh);

  async function open(namespace: string): Promise<IndexedDbLog> {
    let record: LogRecord;
    try {
      record = await connection.run(["logs", "blocks"], "readwrite", "strict", async (tx) => {
        const found = await tx.objectStore("logs").get(namespace);
        if (found !== undefined) {
          // A trim that could not be noted: see `trim` in the log.
          const block = await firstBlock(tx, namespace);
          return block !== undefined && block.first > found.first ? { ...found, first: block.first, trimmed: block.offset } : found;
        }
        const made: LogRecord = { epoch: randomText(12, randomBytes), first: 1, head: 0, trimmed: 0, offset: 0, streamed: false };
        await tx.objectStore("logs").put(made, namespace);
        return made;
      });
    } catch (error) {
      throw explain(EventRouterError, `opening the log of namespace ${JSON.stringify(namespace)}`, error);
    }
    const log = indexedDbLog({ connection, namespace, record, told: () => channel.postMessage(namespace), onError });
    void log.lost!.then(() => logs.delete(namespace));
    return log;
  }

  return {
    durability: "disk",
    open(namespace) {
      let log = logs.get(namespace);
      if (log === undefined) {
        logs.set(namespace, (log = open(namespace)));
        log.catch(() => logs.delete(namespace));
      }
      return log;
    },
    async close() {
      for (const wake of wakes) (wake === "pageshow" ? globalThis : document)?.removeEventListener?.(wake, refresh);
      channel.close();
      logs.clear();
      await connection.close();
    },
  };
}

function throwLater(error: unknown): void {
  queueMicrotask(() => { throw error; });
}
