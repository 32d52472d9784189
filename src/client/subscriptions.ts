import { ConnectionError, fromWire, type EventRouterError, type WireError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Gap, SubscribeSpec, Welcome, WireLimits } from "../core/frames.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import type { Part } from "./connection.ts";
import { Feed } from "./feed.ts";

interface Entry {
  readonly feed: Feed;
  /** The router has it, or has refused it. */
  readonly ready: (error?: EventRouterError) => void;
  readonly ended: (error: EventRouterError) => void;
  /** Takes it back. */
  readonly leave: () => Promise<void>;
}

/** The subscriptions of a connection: opened again where they stand after a cut, and acknowledged a few times per window, never per event. */
export class Subscriptions implements Part {
  readonly #nextId: () => number;
  readonly #wake: () => void;
  readonly #received: () => number;
  readonly #entries = new Map<number, Entry>();
  #unsent: Feed[] = [];
  #connected = false;
  readonly #leaving = new Map<number, () => void>();
  #unsentLeaves: number[] = [];
  #unacked: Feed[] = [];
  #ackDue = false;
  #receivedAcked = 0;
  #receivedStep = 1;
  #limits: WireLimits | undefined;
  #epoch = "";
  readonly #timestamp = timestamps();

  constructor(options: { nextId(): number; wake(): void; received(): number }) {
    this.#nextId = options.nextId;
    this.#wake = options.wake;
    this.#received = options.received;
  }

  get size(): number { return this.#entries.size; }

  open(spec: SubscribeSpec, hooks: Omit<Entry, "feed">): Feed {
    const feed: Feed = new Feed(this.#nextId(), spec, { due: () => { this.#ackDue = true; this.#wake(); }, changed: () => this.#unacked.push(feed) });
    this.#entries.set(feed.id, { feed, ...hooks });
    this.#unsent.push(feed);
    this.#wake();
    return feed;
  }

  /** Resolves when the router has ended it, or cannot be told. */
  async close(feed: Feed): Promise<void> {
    if (!this.#entries.delete(feed.id)) return;
    const unsent = this.#unsent.indexOf(feed);
    if (unsent >= 0) this.#unsent.splice(unsent, 1);
    else await this.leave(feed.id);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ leave }) => leave()));
  }

  /** Takes back a `sub` or `serve`. */
  async leave(id: number): Promise<void> {
    // A session that has gone has left everything.
    if (!this.#connected) return;
    const left = new Promise<void>((resolve) => this.#leaving.set(id, resolve));
    this.#unsentLeaves.push(id);
    this.#wake();
    await left;
  }

  opened({ limits, epoch }: Welcome): void {
    this.#connected = true;
    this.#limits = limits;
    this.#epoch = epoch;
    this.#receivedAcked = 0;
    this.#receivedStep = Math.max(1, Math.min(limits.windowSize >> 2, limits.windowSize - 2 * limits.payload));
    this.#ackDue = false;
    this.#unacked = [];
    this.#unsent = [...this.#entries.values()].map(({ feed }) => feed);
  }

  write(put: (frame: string) => void): void {
    for (const id of this.#unsentLeaves) put(`["unsub",${id}]`);
    for (const feed of this.#unsent) put(JSON.stringify(["sub", feed.id, feed.spec]));
    this.#unsentLeaves = [];
    this.#unsent = [];
    const received = this.#received();
    if (!this.#ackDue && received - this.#receivedAcked < this.#receivedStep) return;
    let ack = `["ack",${received}`;
    for (const feed of this.#unacked) {
      ack += `,${feed.id},${feed.low}`;
      feed.acked();
    }
    put(`${ack}]`);
    this.#unacked = [];
    this.#ackDue = false;
    this.#receivedAcked = received;
  }

  /** Whether a subscription of this id has begun. */
  on(id: number, epoch: string, seq: number): boolean {
    const entry = this.#entries.get(id);
    entry?.feed.begin(epoch, seq, this.#limits!);
    entry?.ready();
    return entry !== undefined;
  }

  /** Whether there was such a subscription, or one that was left. */
  end(id: number, error: WireError | undefined): boolean {
    const left = this.#leaving.get(id);
    if (left !== undefined) {
      this.#leaving.delete(id);
      left();
      return true;
    }
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    entry.ended(error === undefined ? new ConnectionError("ERR_SUBSCRIPTION_ENDED", "the router ended the subscription; subscribe again", { retryable: true }) : fromWire(error));
    return true;
  }

  gap(id: number, gap: Gap): void {
    this.#entries.get(id)?.feed.gap(gap);
  }

  /** Events for the same subscriptions, decoded once for all of them. */
  events(ids: readonly number[], lines: readonly EventLine[], frameSize: number): void {
    const size = frameSize / lines.length;
    const only = ids.length === 1 ? this.#entries.get(ids[0]!)?.feed : undefined;
    if (only !== undefined) for (const line of lines) only.deliver(this.#decode(line), size);
    else for (const line of lines) this.#deliver(ids, line, size);
    for (const id of ids) this.#entries.get(id)?.feed.consumer?.arrived();
    this.#hasReceived();
  }

  /** Events, each for subscriptions of its own. */
  mixed(subs: readonly (readonly number[])[], lines: readonly EventLine[], frameSize: number): void {
    const size = frameSize / lines.length;
    const touched = new Set<number>();
    lines.forEach((line, i) => {
      const ids = subs[i] ?? [];
      this.#deliver(ids, line, size);
      for (const id of ids) touched.add(id);
    });
    for (const id of touched) this.#entries.get(id)?.feed.consumer?.arrived();
    this.#hasReceived();
  }

  #deliver(ids: readonly number[], line: EventLine, size: number): void {
    let event: RouterEvent | undefined;
    for (const id of ids) this.#entries.get(id)?.feed.deliver((event ??= this.#decode(line)), size);
  }

  #decode(line: EventLine): RouterEvent {
    return decodeLine(line, this.#epoch, this.#timestamp);
  }

  #hasReceived(): void {
    if (this.#received() - this.#receivedAcked >= this.#receivedStep) this.#wake();
  }

  lost(): void {
    for (const { feed } of this.#entries.values()) feed.cut();
    this.#leave();
  }

  failed(error: EventRouterError): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#unsent = [];
    for (const { ended } of entries) ended(error);
    this.#leave();
  }

  #leave(): void {
    this.#connected = false;
    for (const left of this.#leaving.values()) left();
    this.#leaving.clear();
    this.#unsentLeaves = [];
  }
}
