import { EventRouterError } from "../core/errors.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";

export interface SqliteFileOptions {
  /** How long to wait for another process to let go of the file, in ms; the process stands still meanwhile. Default 2,000. */
  readonly busyTimeout?: number;
}

/**
 * Opens a file with `node:sqlite` (Node 22.13, Deno 2.2, Bun 1.4 and later) for one writer process: WAL, `synchronous=FULL`, so that what was committed
 * survives kill -9 and power loss, and a lock that is held until it is closed.
 *
 * @throws EventRouterError `ERR_STORE_LOCKED` if another process has the file, `ERR_STORE_OPEN` if it is not to be opened.
 */
export async function openSqlite(file: string, { busyTimeout = 2_000 }: SqliteFileOptions = {}): Promise<SqliteDatabase & { close(): void }> {
  const { DatabaseSync } = await import("node:sqlite");
  let db;
  try {
    db = new DatabaseSync(file);
    db.exec(`PRAGMA busy_timeout = ${Math.max(0, Math.trunc(busyTimeout))}`);
    // In this order: a WAL that is entered in exclusive mode keeps its index in memory instead of a shared file.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    // The mode takes its lock only with the first write.
    db.exec("BEGIN IMMEDIATE; COMMIT");
    return db;
  } catch (cause) {
    db?.close();
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/locked|busy/i.test(message)) {
      throw new EventRouterError("ERR_STORE_LOCKED", `another process has the event log ${file} open; stop it, or give this router a file of its own: one router writes a log, the others connect to it`, { retryable: true, cause, details: { file } });
    }
    throw new EventRouterError("ERR_STORE_OPEN", `opening the event log ${file} failed: ${message}; see that its folder exists and may be written, and that it is a SQLite database`, { cause, details: { file } });
  }
}
