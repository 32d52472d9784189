import { PublishError } from "../../core/errors.ts";
import type { Durability } from "../../core/frames.ts";
import { Alarm } from "../alarm.ts";
import type { Connection } from "../connection.ts";
import type { Publication } from "../outbox.ts";
import { settledReceipt, type Receipt } from "../receipt.ts";

interface Waiter { readonly one: Publication; later: PromiseWithResolvers<Receipt[]> | undefined; /** Somebody asked for `settled`. */ watched: boolean }

/** Who in this tab waits for what is in the outbox: for a receipt, or after one that says `queued`, for what becomes of it. */
export class Waiters {
  readonly #connection: Connection;
  readonly #durability: Durability;
  readonly #alarm: Alarm;
  /** By the place in the outbox's log. */
  readonly #at = new Map<number, Waiter[]>();

  constructor(connection: Connection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
    this.#alarm = new Alarm(connection.clock, (now) => this.#expire(now));
  }

  /** It is durable in this place. Without a connection that is all that can be said now. */
  add(from: number, one: Publication): void {
    const waiter: Waiter = { one, later: undefined, watched: false };
    const others = this.#at.get(from);
    if (others === undefined) this.#at.set(from, [waiter]);
    else others.push(waiter);
    if (this.#connection.welcome === undefined) this.#queue(waiter);
    else this.#alarm.set(one.deadline);
  }

  /** Places that are waited for, in order of their coming. */
  get places(): number[] { return [...this.#at.keys()]; }

  /** Callers that have no receipt yet. */
  get callers(): Publication[] { return [...this.#at.values()].flat().filter(({ one }) => !one.settled).map(({ one }) => one); }

  /** There is no connection any more: what is durable here is queued. */
  queueAll(): void {
    for (const waiter of [...this.#at.values()].flat()) this.#queue(waiter);
  }

  resolve(from: number, receipts: Receipt[]): void {
    for (const waiter of this.#take(from)) {
      if (settle(waiter.one)) waiter.one.resolve?.(receipts);
      else waiter.later?.resolve(receipts);
    }
  }

  /** Says whether anybody was told. */
  reject(from: number, error: unknown): boolean {
    let told = false;
    for (const waiter of this.#take(from)) {
      const waits = settle(waiter.one);
      if (waits) waiter.one.reject(error);
      else waiter.later?.reject(error);
      told ||= waits || waiter.watched;
    }
    return told;
  }

  /** Another tab has settled it, and what it was told was not heard here. */
  resolveUnseen(from: number): void {
    const events = this.#at.get(from)?.[0]?.one.events ?? [];
    const timestamp = new Date(this.#connection.clock.now()).toISOString();
    this.resolve(from, events.map(({ id, type }) => settledReceipt({ id, type, seq: null, epoch: null, timestamp, status: "published", durability: "none" })));
  }

  /** What was queued here is lost; who still waits for a receipt is served anew. */
  forget(from: number, error: unknown): void {
    for (const { later } of this.#take(from)) later?.reject(error);
  }

  rejectAll(error: unknown): void {
    this.#alarm.off();
    for (const from of this.places) this.reject(from, error);
  }

  #take(from: number): Waiter[] {
    const waiters = this.#at.get(from) ?? [];
    this.#at.delete(from);
    return waiters;
  }

  #queue(waiter: Waiter): void {
    const { one } = waiter;
    if (!settle(one)) return;
    const later = (waiter.later = Promise.withResolvers<Receipt[]>());
    // Who does not ask for it is told otherwise.
    later.promise.catch(() => {});
    const timestamp = new Date(this.#connection.clock.now()).toISOString();
    one.resolve?.(one.events.map(({ id, type }, index): Receipt => ({
      id, type, seq: null, epoch: null, timestamp, status: "queued", durability: this.#durability,
      get settled() {
        waiter.watched = true;
        return later.promise.then((receipts) => receipts[index]!);
      },
    })));
  }

  /** A router that does not answer in time: the event is safe here, and will be sent. */
  #expire(now: number): number {
    let next = Infinity;
    for (const waiter of [...this.#at.values()].flat()) {
      if (waiter.one.settled) continue;
      if (waiter.one.deadline <= now) this.#queue(waiter);
      else next = Math.min(next, waiter.one.deadline);
    }
    return next;
  }
}

export function settle(one: Publication): boolean {
  if (one.settled) return false;
  one.settled = true;
  one.release?.();
  return true;
}

export function lostError(why: string): PublishError {
  return new PublishError("ERR_OUTBOX_LOST", `${why}; what waited and was not sent is gone, publish it again`, { retryable: true });
}
