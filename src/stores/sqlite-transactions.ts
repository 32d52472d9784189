import type { SqliteDatabase } from "./sqlite-database.ts";

/** The transactions of one database, whoever writes in it. */
export interface Transactions {
  /** Runs writes whole or not at all; throws what they throw. */
  run<T>(work: () => T): T;
  /** Ends a transaction that was left open because even its rollback failed. Until this has succeeded, what the database shows may not be committed. */
  settle(): void;
}

export function transactions(db: SqliteDatabase): Transactions {
  let open = false;

  function settle(): void {
    if (!open) return;
    try {
      db.exec("ROLLBACK");
    } catch (error) {
      // After some failures (disk full) SQLite has rolled back by itself.
      if (!/no transaction/i.test(String(error))) throw error;
    }
    open = false;
  }

  function run<T>(work: () => T): T {
    settle();
    // Set before BEGIN: that it threw does not say that it did nothing.
    open = true;
    try {
      db.exec("BEGIN IMMEDIATE");
      const result = work();
      db.exec("COMMIT");
      open = false;
      return result;
    } catch (error) {
      try {
        settle();
      } catch {
        // The next call tries again, before anything else.
      }
      throw error;
    }
  }

  return db.transactionSync === undefined ? { run, settle } : { run: (work) => db.transactionSync!(work), settle };
}
