import type { SqliteDatabase, SqliteStatement, SqliteValue } from "./sqlite-database.ts";

/** The storage of a Durable Object, as far as it is used: `ctx.storage`. */
export interface DurableObjectStorage {
  readonly sql: { exec(query: string, ...bindings: unknown[]): SqlRows };
  transactionSync<T>(work: () => T): T;
}

interface SqlRows { toArray(): Record<string, unknown>[]; readonly rowsRead: number; readonly rowsWritten: number }

/** Rows that were read and written, as they are billed: an index is a row more. */
export interface SqliteUsage { rowsRead: number; rowsWritten: number }

/**
 * A Durable Object's SQLite as a database for `sqliteStore`. Statements are kept by the platform, by their text. Writes are committed with the
 * event that made them, and nothing leaves the object before that is durable (the output gate); `transactionSync` makes several of them one.
 */
export function durableObjectSqlite(storage: DurableObjectStorage, usage: SqliteUsage = { rowsRead: 0, rowsWritten: 0 }): SqliteDatabase {
  function rows(query: string, values: readonly SqliteValue[]): Record<string, unknown>[] {
    const cursor = storage.sql.exec(query, ...values);
    const all = cursor.toArray();
    usage.rowsRead += cursor.rowsRead;
    usage.rowsWritten += cursor.rowsWritten;
    return all;
  }
  return {
    exec: (sql) => void rows(sql, []),
    prepare: (sql): SqliteStatement => ({
      run: (...values) => void rows(sql, values),
      get: (...values) => rows(sql, values)[0],
      all: (...values) => rows(sql, values),
    }),
    transactionSync: (work) => storage.transactionSync(work),
  };
}
