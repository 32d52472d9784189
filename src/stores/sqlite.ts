import { randomText } from "../core/event-id.ts";
import { EventRouterError } from "../core/errors.ts";
import type { Durability } from "../core/frames.ts";
import type { Log, Store } from "../core/store.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";
import { openSqlite, type SqliteFileOptions } from "./sqlite-file.ts";
import { sqliteLog } from "./sqlite-log.ts";
import { prepareSchema } from "./sqlite-schema.ts";
import { transactions } from "./sqlite-transactions.ts";
import { storeError } from "./store-error.ts";

export type { SqliteDatabase, SqliteStatement, SqliteValue } from "./sqlite-database.ts";
export { openSqlite, type SqliteFileOptions } from "./sqlite-file.ts";

export interface SqliteStoreOptions extends SqliteFileOptions {
  /** How long an append's promise holds: "disk" as `openSqlite` opens a file, else what the given database keeps. */
  readonly durability?: Durability;
  /** Where a new log's epoch comes from; default: the database's own randomness. */
  randomBytes?(count: number): Uint8Array;
  /** Gets what a watching listener throws; default: it is thrown as an uncaught error. */
  onError?(error: unknown): void;
}

/**
 * A store in one SQLite file, for all namespaces of one router. Each `append` is one transaction, and a commit waits for the disk: callers that have much to
 * write give it in one call. Only one process may have the file open.
 *
 * @param source A file's name, or an open database, which the store then does not close.
 * @throws EventRouterError `ERR_STORE_LOCKED`, `ERR_STORE_OPEN`, or `ERR_STORE_VERSION` if another release wrote the file.
 *
 * @example
 * const store = await sqliteStore("events.db");
 */
export async function sqliteStore(source: string | SqliteDatabase, options: SqliteStoreOptions = {}): Promise<Store> {
  const db = typeof source === "string" ? await openSqlite(source, options) : source;
  const close = () => { if (typeof source === "string") db.close?.(); };
  const transacting = transactions(db);
  try {
    prepareSchema(db, transacting);
  } catch (error) {
    close();
    throw error;
  }
  const randomBytes = options.randomBytes ?? ((count) => new Uint8Array((db.prepare("SELECT randomblob(?) AS bytes").get(count) as { bytes: Uint8Array }).bytes));
  const logs = new Map<string, Log>();
  let closed = false;
  return {
    durability: options.durability ?? "disk",
    async open(namespace) {
      let log = logs.get(namespace);
      if (log !== undefined) return log;
      try {
        log = sqliteLog({ db, transactions: transacting, namespace, epoch: () => randomText(12, randomBytes), onError: options.onError });
      } catch (cause) {
        throw storeError(EventRouterError, `opening the log of namespace ${JSON.stringify(namespace)}`, cause);
      }
      logs.set(namespace, log);
      return log;
    },
    async close() {
      if (closed) return;
      closed = true;
      logs.clear();
      close();
    },
  };
}
