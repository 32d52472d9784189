import type { RouterEvent } from "../../src/core/event.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import type { Client } from "../../src/client/client.ts";
import type { Subscription } from "../../src/client/subscription.ts";
import type { Book } from "./book.ts";
import type { ClientPlan, GROUPS } from "./plan.ts";
import type { Incarnation } from "./process.ts";
import type { Random } from "./random.ts";
import { sightingOf } from "./sighting.ts";

export interface KeptOptions {
  readonly process: string;
  readonly plan: ClientPlan;
  readonly book: Book;
  readonly random: Random;
  /** Handlers take no time and do not fail any more. */
  hurries(): boolean;
  expected(error: unknown): void;
}

/** What handlers throw on purpose. */
export class Planned extends Error {}

/** Subscriptions whose place the router keeps: each life of the process goes on where the one before stopped. */
export class Kept {
  readonly #options: KeptOptions;
  #own: Incarnation | undefined;
  #client: Client | undefined;
  readonly #subscriptions = new Map<string, Subscription>();

  constructor(options: KeptOptions) {
    this.#options = options;
  }

  /** The process has started. */
  start(client: Client, own: Incarnation): void {
    this.#client = client;
    this.#own = own;
    this.#subscriptions.clear();
    this.#again();
  }

  /** It takes leave. */
  stop(): void {
    this.#client = undefined;
  }

  /** Subscribes to what it has not, or what the router has ended; looks again in a while, as an application does that must go on. */
  #again(): void {
    const { plan } = this.#options;
    if (this.#own?.alive !== true || this.#client === undefined || (plan.durable === undefined && plan.groups.length === 0)) return;
    this.#own.post(1_000, () => this.#again());
    if (this.#client.state === "closed") return;
    if (plan.durable !== undefined && this.#lacks("durable")) this.#durable(plan.durable);
    for (const group of plan.groups) if (this.#lacks(group.name)) this.#member(group);
  }

  #lacks(name: string): boolean {
    const { over } = this.#subscriptions.get(name)?.feed ?? { over: {} };
    return over !== undefined;
  }

  #durable(topics: readonly string[]): void {
    const { plan, book, process } = this.#options;
    const own = this.#own!;
    const reading = book.kept(`${process} durable`, plan.namespace, (event) => topics.some((pattern) => matchesPattern(pattern, event.type)) && (event.target === undefined || event.target === plan.name));
    // What counts is what was finished: what a process had begun when it died comes again.
    const subscription: Subscription = this.#client!.on(topics, { from: "start", durable: `d-${process}` }, async (event: RouterEvent) => {
      await this.#sleep(400);
      // One whose subscription the router has ended meanwhile counts for nothing: it comes again. Of one that was given up, what was finished still may count.
      if (own.alive && (subscription.feed.over === undefined || this.#client === undefined)) reading.see(sightingOf(event, event.epoch));
    });
    this.#keep("durable", subscription, (at) => reading.began(at));
    subscription.onGap((gap) => reading.gap(gap));
  }

  #member(group: (typeof GROUPS)[number]): void {
    const { plan, book, random } = this.#options;
    const own = this.#own!;
    const crew = book.crew(plan.namespace, group);
    const { name, topics, ackTimeout, maxRetries } = group;
    const concurrency = random.whole(1, 3);
    const subscription = this.#client!.on(topics, { from: "start", group: name, ackTimeout, concurrency, retry: { maxRetries, delay: 50 } }, async (event: RouterEvent) => {
      if (!own.alive) return;
      const sighting = crew.take(event);
      book.trace(`${crew.name}: ${this.#options.process} works at ${event.seq}`);
      // Some take longer than they may.
      await this.#sleep(random.chance(0.1) ? 2 * ackTimeout : 200);
      if (!this.#options.hurries() && (sighting.number % 7 === 0 || random.chance(0.15))) throw new Planned("a member's handler throws");
      if (own.alive) crew.done.push(sighting);
    });
    this.#keep(name, subscription, (at) => { if (Array.isArray(at)) crew.began(at[0] as string); });
    subscription.onGap((gap) => crew.gaps.push(gap));
  }

  #keep(name: string, subscription: Subscription, began: (at: Subscription["feed"]["spec"]["from"]) => void): void {
    const own = this.#own!;
    this.#subscriptions.set(name, subscription);
    subscription.ready.then(() => { if (own.alive) began(subscription.feed.spec.from); }, (error: unknown) => this.#options.expected(error));
  }

  #sleep(most: number): Promise<void> {
    const { random, hurries } = this.#options;
    return new Promise((resolve) => void this.#own!.post(random.next() * (hurries() ? 5 : most), resolve));
  }
}
