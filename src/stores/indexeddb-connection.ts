import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames } from "idb";
import { EventRouterError } from "../core/errors.ts";

export interface ConnectionOptions<S extends DBSchema> {
  readonly name: string;
  readonly version: number;
  upgrade(db: IDBPDatabase<S>, from: number): void;
  /** The browser or another tab has closed the handle: what it held may be gone. */
  lost(): void;
  /** Gets what nobody waits for, such as that another tab holds up the opening. */
  report(error: unknown): void;
}

/** A database that may be closed under us: by a newer version of the app in another tab, by who deletes it, by the browser. Then it is opened again. */
export interface Connection<S extends DBSchema> {
  /**
   * Runs work in one transaction and resolves after its commit; the work may wait for nothing but the transaction's own requests. On a handle that died it is
   * run once more, so it must bear to be run twice.
   */
  run<T>(stores: StoreNames<S>[], mode: "readonly" | "readwrite", durability: IDBTransactionDurability, work: (tx: IDBPTransaction<S, StoreNames<S>[], "readwrite">) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How often a database is opened again that is closed while it opens: for about a second. */
const ATTEMPTS = 6;

export function indexedDbConnection<S extends DBSchema>({ name, version, upgrade, lost, report }: ConnectionOptions<S>): Connection<S> {
  let opening: Promise<{ readonly db: IDBPDatabase<S>; dead: boolean }> | undefined;
  let closed = false;

  function open(): NonNullable<typeof opening> {
    if (closed) throw new EventRouterError("ERR_CLOSED", `the store "${name}" is closed; open a new one`);
    return (opening ??= openOnce(0).catch((error: unknown) => {
      opening = undefined;
      throw explained(error);
    }));
  }

  async function openOnce(attempt: number): Promise<{ readonly db: IDBPDatabase<S>; dead: boolean }> {
    const own: { db: IDBPDatabase<S>; dead: boolean } = { db: undefined as unknown as IDBPDatabase<S>, dead: false };
    const die = (): void => {
      own.dead = true;
      opening = undefined;
    };
    const opened = openDB<S>(name, version, {
      upgrade,
      // An old tab has the database open at an older version, and does not let go. Nothing is lost: it opens as soon as that tab is gone.
      blocked: () => report(new EventRouterError("ERR_STORE_BLOCKED", `another tab holds the database "${name}" at an older version; close or reload the other tabs of this app`, { retryable: true })),
      // We are that old tab: whoever wants a newer version, or to delete it, need not wait for us.
      blocking() {
        die();
        own.db.close();
        lost();
      },
      terminated() {
        die();
        lost();
      },
    });
    try {
      own.db = await opened;
      return own;
    } catch (error) {
      // While the browser clears the storage it closes also what is opened anew: soon it will not.
      if ((error as Error | null)?.name !== "AbortError" || attempt === ATTEMPTS || closed) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * 2 ** attempt));
      return openOnce(attempt + 1);
    }
  }

  function explained(error: unknown): unknown {
    if ((error as Error | null)?.name !== "VersionError") return error;
    return new EventRouterError("ERR_STORE_VERSION", `the database "${name}" was upgraded by a newer release of this app; reload the page`, { cause: error });
  }

  return {
    async run(stores, mode, durability, work) {
      for (let first = true; ; first = false) {
        const handle = await open();
        try {
          const tx = handle.db.transaction(stores, mode as "readwrite", { durability });
          // Awaited below; a failure of the work comes first.
          tx.done.catch(() => {});
          try {
            const result = await work(tx);
            await tx.done;
            return result;
          } catch (error) {
            abort(tx);
            // The transaction knows best why it failed: a request only hears that it was aborted.
            throw tx.error ?? error;
          }
        } catch (error) {
          // A handle that is closing refuses new transactions before any event says so.
          const dead = handle.dead || (error as Error | null)?.name === "InvalidStateError";
          if (!first || !dead || closed) throw error;
          opening = handle.dead ? opening : undefined;
        }
      }
    },
    async close() {
      closed = true;
      const handle = await opening?.catch(() => undefined);
      handle?.db.close();
    },
  };
}

function abort(tx: { abort(): void }): void {
  try {
    tx.abort();
  } catch {
    // It has ended already.
  }
}
