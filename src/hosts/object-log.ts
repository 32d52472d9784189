import type { Store } from "../core/store.ts";
import type { TicketShelf } from "../core/tickets.ts";
import type { SqliteDatabase } from "../stores/sqlite-database.ts";
import type { Question } from "./relays/between.ts";

/** Where the log of an object is, and what comes with that: its own database, or another object. */
export interface ObjectLog {
  readonly store: Store;
  readonly tickets: TicketShelf;
  /** Last seq that was heard of. */
  readonly head: number;
  /** The database in which it is, once it is open. */
  readonly database: SqliteDatabase | undefined;
  /** Something was stored, so something may be due though nobody is connected. */
  readonly stored: boolean;
  /** It is told no more of the log, as nobody was connected: who comes now needs a router that begins anew. */
  readonly over: boolean;
  /** A turn is over: what is for other objects leaves. */
  settled(): void;
  /** What another object of the namespace asks. @throws EventRouterError */
  answer(question: Question): Promise<unknown>;
}
