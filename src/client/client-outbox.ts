import type { EventRouterError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { checkFunction } from "./check-options.ts";
import type { Publication } from "./outbox.ts";

/** What is kept while there is no connection. */
export interface OfflineOptions {
  /** Default `"indexeddb"`, shared by all tabs of the origin. Outside browsers, a store such as `await sqliteStore("outbox.db")`. `"memory"` outlives nothing. */
  readonly store?: "indexeddb" | "memory" | Store;
  /** Whose outbox it is: default the router's URL and the namespace. Where users take turns, name it after the user: one's events are then never sent as another's. */
  readonly name?: string;
  /** Events that may wait, default 100,000. */
  readonly maxEvents?: number;
  /** And their size in UTF-16 units, default 64 MiB. */
  readonly maxBytes?: number;
  /** What leaves first: the oldest (default), or the most urgent by `priority`, and then the order of a publisher's events is not kept. */
  readonly order?: "published" | "priority";
}

/** An event in the outbox. */
export interface OutboxEntry {
  readonly id: string;
  readonly type: string;
  /** As it will travel: of a client that encrypts, the JWE. */
  readonly payload: unknown;
  readonly priority: number;
  /** RFC 3339. */
  readonly queuedAt: string;
  /** `dead`: the router has refused it; `retry` or `drop` it. */
  readonly state: "waiting" | "dead";
  /** Why it was refused. */
  readonly error?: EventRouterError;
  /** The id of the first event of its batch or transaction, which stays together. */
  readonly together?: string;
}

/** The part that is loaded with the first client that works offline. */
export interface WaitingRoom {
  add(one: Publication): void;
  list(): Promise<OutboxEntry[]>;
  retry(ids: readonly string[]): Promise<number>;
  drop(ids: readonly string[]): Promise<number>;
  /** Waits for what callers wait for, and for as long as it is worth it, for what can be sent; then stops. */
  leave(): Promise<void>;
}

/** `client.outbox`: what waits on this device to be sent, whichever tab or earlier life of the page published it. */
export class ClientOutbox<Room extends WaitingRoom = WaitingRoom> {
  /** Events that wait; 0 until the outbox is opened. */
  size = 0;
  readonly #listeners = new Set<(size: number) => void>();
  readonly #load: () => Promise<Room>;
  #room: Promise<Room> | undefined;

  /** @internal */
  constructor(load: (changed: (size: number) => void) => Promise<Room>, report: (error: unknown) => void) {
    this.#load = () => load((size) => {
      if (size === this.size) return;
      this.size = size;
      // A listener that throws is told like any failure in the background, and harms no other.
      for (const listener of this.#listeners) Promise.resolve(size).then(listener).catch(report);
    });
    this.room().catch(report);
  }

  /** Code that has not come is asked for again. @internal */
  room(): Promise<Room> {
    return (this.#room ??= this.#load().catch((error: EventRouterError) => {
      if (error.code === "ERR_CODE") this.#room = undefined;
      throw error;
    }));
  }

  /** Calls back on each change of `size`. Returns how to stop listening. */
  onChange(listener: (size: number) => void): () => void {
    checkFunction(listener, "listener");
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What waits, and what the router has refused. */
  async list(): Promise<OutboxEntry[]> { return (await this.room()).list(); }
  /** Sends refused events again, under their ids; without ids, all of them. Resolves with how many. */
  async retry(...ids: string[]): Promise<number> { return (await this.room()).retry(ids); }
  /** Removes events, waiting or refused, each with its whole batch; without ids, all. One that is on its way may still arrive. Resolves with how many. */
  async drop(...ids: string[]): Promise<number> { return (await this.room()).drop(ids); }

  /** @internal */
  async leave(): Promise<void> {
    await this.#room?.then((room) => room.leave(), () => {});
  }

  /** @internal */
  add(one: Publication): void {
    this.room().then((room) => room.add(one), (error: unknown) => this.abandon(one, error));
  }

  /** The caller no longer waits; what is in the outbox already is sent all the same. @internal */
  abandon(one: Publication, reason: unknown): void {
    if (one.settled) return;
    one.settled = true;
    one.release?.();
    one.reject(reason);
  }
}
