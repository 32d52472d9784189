import { EventRouterError } from "../core/errors.ts";
import type { SqliteDatabase } from "./sqlite-database.ts";
import { toSqlText } from "./sqlite-text.ts";
import type { Transactions } from "./sqlite-transactions.ts";

/** Version of the tables below; a change to them raises it and adds the step from the one before. */
const VERSION = 2;

/*
 * One row of a log table (`logTable`) is a block of events: what one append brought, cut at a size. So a commit of 256 publishes is one or two rows.
 * `offset` is the size of all blocks before it since the log began: the log's extent and the bounds of a page are differences of offsets, and
 * opening reads one row. Only what a trim changes is kept beside: `first`, and `trimmed`, the offset there.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS er_meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS er_namespaces (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL, first INTEGER NOT NULL, trimmed INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS er_producers (
    namespace INTEGER NOT NULL, instance TEXT NOT NULL, publisher TEXT NOT NULL,
    top INTEGER NOT NULL, seq INTEGER NOT NULL, missing TEXT NOT NULL, singles INTEGER NOT NULL,
    PRIMARY KEY (namespace, instance, publisher)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS er_ids (
    namespace INTEGER NOT NULL, id TEXT NOT NULL, publisher TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (namespace, id, publisher)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS er_bookmarks (
    namespace INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (namespace, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS er_streams (
    namespace INTEGER NOT NULL, stream TEXT NOT NULL, length INTEGER NOT NULL,
    PRIMARY KEY (namespace, stream)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS er_stream_events (
    namespace INTEGER NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (namespace, stream, version)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS er_stream_seqs ON er_stream_events (namespace, seq);
`;

/** Makes the tables in a new database, and checks that an old one can be read. */
export function prepareSchema(db: SqliteDatabase, { run }: Transactions): void {
  run(() => {
    db.exec(tables);
    const found = (db.prepare("SELECT value FROM er_meta WHERE key = 'version'").get() as { value: number } | undefined)?.value;
    if (found === undefined) db.prepare("INSERT INTO er_meta (key, value) VALUES ('version', ?)").run(VERSION);
    // Version 1 had no event streams, and its other tables are the same.
    else if (found === 1) db.prepare("UPDATE er_meta SET value = ? WHERE key = 'version'").run(VERSION);
    else if (found !== VERSION) {
      throw new EventRouterError("ERR_STORE_VERSION", `the database has version ${found} of the event router's tables, and this release reads version ${VERSION}; open it with the release that wrote it, or upgrade this one`, { details: { found, supported: VERSION } });
    }
  });
}

/** The namespace's number and epoch; if it is new, it and its table are made. */
export function openNamespace(db: SqliteDatabase, { run, settle }: Transactions, namespace: string, epoch: () => string): { readonly id: number; readonly epoch: string } {
  settle();
  const name = toSqlText(namespace);
  const select = db.prepare("SELECT id, epoch FROM er_namespaces WHERE name = ?");
  const find = () => (select.get(name) ?? undefined) as { id: number; epoch: string } | undefined;
  return find() ?? run(() => {
    db.prepare("INSERT INTO er_namespaces (name, epoch, first, trimmed) VALUES (?, ?, 1, 0)").run(name, epoch());
    const made = find()!;
    db.exec(`CREATE TABLE ${logTable(made.id)} (
      first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, first_time INTEGER NOT NULL,
      offset INTEGER NOT NULL, size INTEGER NOT NULL, lines TEXT NOT NULL
    )`);
    return made;
  });
}

/** A namespace's log has a table of its own: its rowid is the block's first seq, so that appending goes to the end of one B-tree, and no byte is shared with other namespaces. */
export const logTable = (id: number): string => `er_log_${id}`;
