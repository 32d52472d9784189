import { EventRouterError } from "../core/errors.ts";
import type { Log, Store } from "../core/store.ts";
import { sqliteStore } from "../stores/sqlite.ts";
import type { SqliteDatabase } from "../stores/sqlite-database.ts";
import type { ObjectLog } from "./object-log.ts";
import type { Question } from "./relays/between.ts";
import { randomBytes } from "./surroundings.ts";
import { ticketShelf } from "./ticket-shelf.ts";

export interface OwnLogOptions {
  readonly database: SqliteDatabase;
  onError(error: unknown): void;
}

/** A log in the object's own database. */
export class OwnLog implements ObjectLog {
  readonly store: Store;
  readonly tickets;
  readonly over = false;
  readonly #database: SqliteDatabase;
  #opened: Store | undefined;
  #log: Log | undefined;

  constructor({ database, onError }: OwnLogOptions) {
    this.#database = database;
    this.tickets = ticketShelf(database, Date.now);
    // Only who was let in opens it: an object that strangers asked for stores nothing.
    this.store = {
      durability: "disk",
      open: async (name) => {
        this.#opened ??= await sqliteStore(database, { randomBytes, onError });
        return (this.#log = this.joined(await this.#opened.open(name)));
      },
      close: async () => {},
    };
  }

  get head(): number { return this.#log?.head ?? 0; }
  get log(): Log | undefined { return this.#log; }
  get database(): SqliteDatabase | undefined { return this.#opened === undefined ? undefined : this.#database; }
  get stored(): boolean { return this.#database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'er_namespaces'").get() !== undefined; }

  settled(): void {}

  async answer(_question: Question): Promise<unknown> {
    throw new EventRouterError("ERR_NO_RELAYS", "this namespace has no relays any more; connect again", { retryable: true });
  }

  /** The log as a router is to see it. */
  protected joined(log: Log): Log { return log; }
}
