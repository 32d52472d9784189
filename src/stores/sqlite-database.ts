/** A value in a row. */
export type SqliteValue = string | number | null | Uint8Array;

/** A compiled statement; parameters are positional. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): unknown;
  /** The first row; undefined (or null) if there is none. */
  get(...parameters: SqliteValue[]): unknown;
  all(...parameters: SqliteValue[]): unknown[];
}

/**
 * The little that the store needs of a SQLite database, synchronous. `node:sqlite` (Node, Deno, Bun) has this shape; a Durable Object's
 * `ctx.storage.sql` gets it by a few lines round its `exec`.
 */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  /**
   * Runs work whole or not at all. For databases that have transactions of their own making (a Durable Object's `transactionSync`, which
   * forbids `BEGIN`); without it the store says BEGIN and COMMIT itself.
   */
  transactionSync?<T>(work: () => T): T;
  close?(): void;
}
