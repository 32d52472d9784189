import { ConnectionError, fromWire, type EventRouterError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import type { RouterFrame, SubscribeSpec, Welcome } from "../core/frames.ts";
import { decodeLine, timestamps } from "../core/line.ts";
import type { Connection, Part } from "./connection.ts";
import type { Feed } from "./feed.ts";
import type { Jobs } from "./jobs.ts";
import { Later } from "./later.ts";

/** The subscriptions of a connection: opened again where they stand after a cut, and acknowledged a few times per window, never per event. */
export class Subscriptions implements Part {
  readonly #connection: Connection;
  readonly #feeds = new Map<number, Feed>();
  readonly #leaving = new Map<number, () => void>();
  #unsent: Feed[] = [];
  #unsentLeaves: (string | number)[][] = [];
  readonly #unacked = new Set<Feed>();
  readonly #jobs: Later<Jobs>;
  #ackDue = false;
  #receivedAcked = 0;
  /** How much of a window makes an ack due. */
  #dueEvents = 1;
  #dueSize = 1;
  readonly #timestamp = timestamps();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#jobs = new Later(() => import("./jobs.ts").then(({ Jobs }) => new Jobs(connection)));
    connection.parts.push(this);
  }

  /** What is to be asked for is said by `ask`. */
  open(feed: Feed): void {
    feed.progressed = this.#progressed;
    this.#feeds.set(feed.id, feed);
  }

  ask(feed: Feed, spec: SubscribeSpec): void {
    feed.asked = spec;
    this.#unsent.push(feed);
    this.#connection.wake();
  }

  /** Ends it; resolves when the router has let go of it, or cannot be told. */
  async close(feed: Feed, reason?: unknown): Promise<void> {
    if (!this.#feeds.delete(feed.id)) return;
    feed.end(reason);
    if (feed.asked !== undefined && !this.#unsent.includes(feed)) return this.leave(feed.id, feed.side?.running);
    this.#unsent = this.#unsent.filter((one) => one !== feed);
  }

  /** Waits for the handlers of jobs too: what they do would be done again by others. */
  async closeAll(): Promise<void> {
    const feeds = [...this.#feeds.values()];
    await Promise.all(feeds.map((feed) => this.close(feed)));
    await this.#jobs.part?.finished(feeds);
  }

  /** Takes back a `sub` or `serve`. @param keeping jobs whose handlers run on */
  async leave(id: number, keeping: readonly number[] = []): Promise<void> {
    // A session that has gone has left everything.
    if (this.#connection.welcome === undefined) return;
    this.#unsentLeaves.push(["unsub", id, ...keeping]);
    this.#connection.wake();
    await new Promise<void>((resolve) => this.#leaving.set(id, resolve));
  }

  opened({ limits: { windowEvents, windowSize, payload } }: Welcome): void {
    // Half: fewer messages for the router to read, and still half a window on its way meanwhile.
    this.#dueEvents = windowEvents / 2;
    // Never so late that a large payload could wait for room that only an ack makes.
    this.#dueSize = Math.max(1, Math.min(windowSize / 4, windowSize - 2 * payload));
    this.#receivedAcked = 0;
    this.#unsent = [...this.#feeds.values()].filter(({ asked }) => asked);
  }

  write(put: (frame: string) => void): void {
    for (const leave of this.#unsentLeaves) put(JSON.stringify(leave));
    for (const feed of this.#unsent) put(JSON.stringify(["sub", feed.id, this.#connection.vault?.guard(feed) ?? feed.spec]));
    this.#unsentLeaves = [];
    this.#unsent = [];
    if (!this.#ackDue) return;
    this.#receivedAcked = this.#connection.received;
    let ack = `["ack",${this.#receivedAcked}`;
    for (const feed of this.#unacked) {
      ack += `,${feed.id},${feed.low}`;
      feed.unackedEvents = feed.unackedSize = 0;
    }
    put(`${ack}]`);
    this.#unacked.clear();
    this.#ackDue = false;
  }

  receive(frame: RouterFrame, size: number): boolean {
    const feed = this.#feeds.get(frame[1] as number);
    switch (frame[0]) {
      case "ev": case "mix": this.#events(frame, size); return true;
      case "on": feed?.begin(frame[2], frame[3], this.#connection.welcome!.limits); break;
      case "gap": feed?.gap(frame[2]); break;
      case "job": if (feed !== undefined) this.#give(feed, frame); break;
      case "end": {
        const left = this.#leaving.get(frame[1]);
        this.#leaving.delete(frame[1]);
        left?.();
        this.#feeds.delete(frame[1]);
        feed?.end(frame[2] === undefined ? new ConnectionError("ERR_SUBSCRIPTION_ENDED", "the router ended it; subscribe again", { retryable: true }) : fromWire(frame[2]));
        return (left ?? feed) !== undefined;
      }
      default: return false;
    }
    return feed !== undefined;
  }

  /** Answers and requests count too, also where there is no subscription: a router that is never told sends no more events, and takes the client for one that does not read. */
  heard(): void {
    if (this.#connection.received - this.#receivedAcked >= this.#dueSize) this.#due();
  }

  down(error: EventRouterError, final: boolean): void {
    for (const left of this.#leaving.values()) left();
    this.#leaving.clear();
    this.#unsentLeaves = [];
    this.#unacked.clear();
    this.#ackDue = false;
    for (const feed of this.#feeds.values()) {
      if (final) void this.close(feed, error);
      else feed.cut();
    }
  }

  /** An event is decoded once for all of its subscriptions. */
  #events([kind, subs, lines]: RouterFrame & readonly ["ev" | "mix", ...unknown[]], frameSize: number): void {
    const { welcome } = this.#connection;
    lines.some((line, i) => {
      let event: RouterEvent | undefined;
      for (const id of kind === "ev" ? subs : subs[i]!) this.#feeds.get(id)?.deliver((event ??= decodeLine(line, welcome!.epoch, this.#timestamp)), frameSize / lines.length);
      if (++i % this.#dueEvents && i < lines.length) return false;
      for (const id of kind === "ev" ? subs : new Set(subs.flat())) this.#feeds.get(id)?.changed();
      // An ack that is due leaves at once: the router goes on while the rest is handled here.
      if (this.#ackDue) this.#connection.flush();
      // What is left of a session that a handler has ended comes again.
      return this.#connection.welcome !== welcome;
    });
  }

  #give(feed: Feed, frame: RouterFrame & readonly ["job", ...unknown[]]): void {
    const { welcome } = this.#connection;
    // A session that has gone meanwhile has taken its jobs with it.
    this.#jobs.use((jobs) => { if (welcome === this.#connection.welcome && feed.over === undefined) jobs.deliver(feed, frame); }).catch(this.#connection.report);
  }

  /** On the way to done: the router is told in time. A place that it keeps is told at once: the next process depends on it. */
  readonly #progressed = (feed: Feed): void => {
    if (feed.unackedEvents === 1) this.#unacked.add(feed);
    if (feed.unackedEvents >= this.#dueEvents || feed.unackedSize >= this.#dueSize || (feed.asked!.durable !== undefined && feed.unackedEvents > 0)) this.#due();
  };

  #due(): void {
    this.#ackDue = true;
    this.#connection.wake();
  }
}
