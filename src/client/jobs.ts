import type { RouterEvent } from "../core/event.ts";
import type { RouterFrame } from "../core/frames.ts";
import { decodeLine, timestamps } from "../core/line.ts";
import type { Connection, Part } from "./connection.ts";
import type { Feed, SideQueue } from "./feed.ts";
import type { HandlerContext } from "./handler-context.ts";

/** A delivery that is settled by itself, under a token of its own. */
interface Job { readonly token: number; readonly attempt: number }

/** Deliveries that are settled one by one: of groups, and dead letters that are tried again. Loaded with the first of them. */
export class Jobs implements Part {
  readonly #connection: Connection;
  readonly #timestamp = timestamps();
  /** Frames that settle jobs, also of subscriptions that have ended. */
  #settled: string[] = [];
  #done: () => void = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
    // What is done is told before a subscription is left: what is not told would be done again by others.
    connection.parts.unshift(this);
  }

  deliver(feed: Feed, [, , token, attempt, line]: RouterFrame & readonly ["job", ...unknown[]]): void {
    const queue = (feed.side ??= new JobQueue(feed, (frame) => this.#settle(frame))) as JobQueue;
    queue.push(decodeLine(line, this.#connection.welcome!.epoch, this.#timestamp), { token, attempt });
    feed.changed();
  }

  /** Resolves when no handler of these runs any more, or its outcome is for nobody. */
  async finished(feeds: readonly Feed[]): Promise<void> {
    while (this.#connection.welcome !== undefined && feeds.some(({ side }) => side !== undefined && side.running.length > 0)) await new Promise<void>((resolve) => (this.#done = resolve));
  }

  write(put: (frame: string) => void): void {
    this.#settled.splice(0).forEach(put);
  }

  receive(): boolean { return false; }

  down(): void {
    this.#settled = [];
    this.#done();
  }

  #settle(frame: string): void {
    this.#settled.push(frame);
    this.#connection.wake();
    this.#done();
  }
}

/** The jobs of a feed. They stand for themselves, wherever their events are in the log. */
class JobQueue implements SideQueue {
  readonly #feed: Feed;
  readonly #settle: (frame: string) => void;
  /** Not settled. */
  readonly #jobs = new Map<RouterEvent, Job>();
  #waiting: RouterEvent[] = [];
  #cuts = 0;

  constructor(feed: Feed, settle: (frame: string) => void) {
    this.#feed = feed;
    this.#settle = settle;
  }

  get running(): number[] {
    return [...this.#jobs].filter(([event]) => !this.#waiting.includes(event)).map(([, { token }]) => token);
  }

  push(event: RouterEvent, job: Job): void {
    this.#jobs.set(event, job);
    this.#waiting.push(event);
    this.#feed.gate?.(event, true);
  }

  take(): RouterEvent | undefined {
    const { gate } = this.#feed;
    for (let event; (event = this.#waiting[0]) !== undefined; ) {
      const admitted = gate === undefined || gate(event);
      if (admitted === undefined) break;
      this.#waiting.shift();
      if (admitted) return event;
    }
    return undefined;
  }

  contextOf(event: RouterEvent, context: HandlerContext): HandlerContext {
    const job = this.#jobs.get(event);
    return job === undefined ? context : { ...context, attempt: job.attempt, redelivered: job.attempt > 1, retried: true };
  }

  finish(event: RouterEvent): boolean {
    const job = this.#jobs.get(event);
    if (job === undefined) return false;
    this.#jobs.delete(event);
    this.#settle(`["done",${this.#feed.id},${job.token}]`);
    return true;
  }

  fail(event: RouterEvent, error: unknown): boolean {
    const job = this.#jobs.get(event);
    if (job === undefined) return false;
    const cuts = this.#cuts;
    const { id, conceal } = this.#feed;
    const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
    const nack = (reason: string): void => {
      // A token means something in its own session alone.
      if (cuts === this.#cuts) this.#settle(JSON.stringify(["nack", id, job.token, { error: { name, message: reason }, ...(error as { nack?: object } | null)?.nack }]));
    };
    this.#jobs.delete(event);
    if (conceal === undefined) nack(message);
    else conceal(event, message).then(nack, () => nack("the reason could not be encrypted"));
    return true;
  }

  end(): void {
    for (const event of this.#waiting) this.#jobs.delete(event);
    this.#waiting = [];
  }

  /** What a session gave is given anew by the next. */
  cut(): void {
    this.#cuts++;
    this.#jobs.clear();
    this.#waiting = [];
  }
}
