import { Client } from "../../src/client/client.ts";
import type { Subscription } from "../../src/client/subscription.ts";
import { EventRouterError } from "../../src/core/errors.ts";
import type { RouterEvent } from "../../src/core/event.ts";
import type { Link } from "../../src/core/link.ts";
import type { Attempt } from "../support/history.ts";
import type { Book, RecordedReading } from "./book.ts";
import { isExpected } from "./expected.ts";
import type { Fault, Faults } from "./faults.ts";
import { Planned } from "./kept.ts";
import type { BridgePlan } from "./plan.ts";
import type { Incarnation, Process } from "./process.ts";
import type { Random } from "./random.ts";
import { sightingOf, type Mark } from "./sighting.ts";

export interface BridgeNodeOptions {
  readonly plan: BridgePlan;
  readonly book: Book;
  readonly faults: Faults;
  readonly random: Random;
  link(own: Incarnation, random: Random): Link;
  died(process: Process): void;
  trace(line: string): void;
  violated(what: string): void;
}

/** ms until what could not be published is tried again. */
const AGAIN = 100;

/**
 * A bridge as an application builds one: a client that reads one namespace under a name, and a client that publishes each event in another, under an id made of its place. It
 * may die at any moment: all must be there in the end, once and in order.
 */
export class BridgeNode {
  readonly process: Process;
  readonly #options: BridgeNodeOptions;
  readonly #reading: RecordedReading;
  /** By the id under which it publishes: what it does again is the same attempt. */
  readonly #attempts = new Map<string, ReturnType<Book["attempt"]>>();
  #own: Incarnation;
  #clients: readonly [from: Client, to: Client] | undefined;
  #subscription: Subscription | undefined;
  #closed = false;

  constructor(process: Process, options: BridgeNodeOptions) {
    this.process = process;
    this.#options = options;
    this.#own = process.incarnation();
    this.#reading = options.book.kept(`${process.name} bridge`, options.plan.from, ({ type, target }) => target === undefined && !type.startsWith("$"));
    this.start();
  }

  /** Neither of its clients waits for a connection. */
  get atRest(): boolean { return this.#clients?.every(({ state }) => state === "connected" || state === "idle") === true; }

  start(): void {
    if (this.#clients !== undefined || this.#closed) return;
    const { plan, random, link } = this.#options;
    const own = this.#own = this.process.incarnation();
    const client = (namespace: string): Client => {
      const made = new Client({ makeLink: () => link(own, random), clock: own, random: random.next, randomBytes: random.bytes }, { namespace, timeout: plan.timeout, auth: { type: "api_key", key: this.process.name }, logger: { error: (error) => this.#unexpected(error) } });
      made.onError((error) => this.#expected(error));
      return made;
    };
    this.#clients = [client(plan.from), client(plan.to)];
    this.#subscription = undefined;
    this.#again();
  }

  befall(fault: Fault): void {
    switch (fault.verdict) {
      case "pause client": return this.process.pause(fault.ms);
      case "clock client": return void (this.process.skew += fault.behind ? 3_600_000 : -3_600_000);
      default: return this.#kill(fault.ms);
    }
  }

  heal(): void {
    this.process.heal();
    this.start();
  }

  async close(): Promise<void> {
    const clients = this.#clients;
    this.#clients = undefined;
    this.#closed = true;
    this.#reading.left = true;
    await Promise.all(clients?.map((client) => client.close()) ?? []);
    this.process.post(0, () => { if (this.process.planned > 0) this.#options.violated(`I13 ${this.process.name} has closed and left ${this.process.planned} timers`); });
  }

  #kill(ms: number): void {
    this.#options.trace(`${this.process.name} is killed`);
    this.#clients = undefined;
    this.process.kill();
    this.#options.died(this.process);
    this.process.post(ms, () => this.start());
  }

  /** Reads on where it was; also when a router took an older session of its own for it. */
  #again(): void {
    const own = this.#own;
    if (!own.alive || this.#clients === undefined) return;
    own.post(1_000, () => { if (this.#own === own) this.#again(); });
    const [from] = this.#clients;
    if (from.state === "closed" || (this.#subscription !== undefined && this.#subscription.feed.over === undefined)) return;
    const subscription = from.on("**", { from: "start", durable: "bridge" }, (event: RouterEvent, { signal }) => this.#carry(event, own, signal));
    this.#subscription = subscription;
    subscription.onGap((gap) => this.#reading.gap(gap));
    subscription.ready.then(() => { if (own.alive) this.#reading.began(subscription.feed.spec.from); }, (error: unknown) => this.#expected(error));
  }

  /** @param signal the subscription is over: the event comes again to the next one, or a gap that covers it */
  async #carry(event: RouterEvent, own: Incarnation, signal: AbortSignal): Promise<void> {
    if (!own.alive || event.seq === 0) return;
    const id = `bridge:${event.epoch}:${event.seq}`;
    await this.#step("take", own);
    await this.#publish(id, event, own, signal);
    await this.#step("done", own);
    if (own.alive && !signal.aborted) this.#reading.see(sightingOf(event, event.epoch));
  }

  /** Until it is there. Who went on after the end would come in between what the next subscription brings. */
  async #publish(id: string, { type, epoch, seq }: RouterEvent, own: Incarnation, signal: AbortSignal): Promise<void> {
    const { plan, book } = this.#options;
    const publisher = `${this.process.name}:${epoch}`;
    let attempt = this.#attempts.get(id);
    if (attempt === undefined) this.#attempts.set(id, (attempt = book.again(publisher, seq)));
    while (own.alive && this.#clients !== undefined && !signal.aborted) {
      try {
        const receipt = await this.#clients[1].publish({ type, id, payload: { ns: plan.to, p: publisher, n: seq } satisfies Mark, timeout: plan.timeout });
        if (own.alive) book.acked(attempt, receipt);
        return;
      } catch (error) {
        if (!own.alive) return;
        this.#expected(error);
        this.#refused(attempt, error);
        await new Promise<void>((resolve) => void own.post(AGAIN, resolve));
      }
    }
  }

  /** Nothing that it publishes is wrong. */
  #refused({ publisher, number }: Attempt, error: unknown): void {
    if (this.#clients !== undefined && error instanceof EventRouterError && !error.retryable) this.#options.violated(`P1 ${publisher} #${number} is refused for good: ${error.code}`);
  }

  /** What befalls it between the two namespaces. */
  async #step(name: "take" | "done", own: Incarnation): Promise<void> {
    const fault = this.#options.faults.take(`bridge:${name}`);
    if (fault === undefined) return;
    this.#options.trace(`${this.process.name} FAULT ${fault.verdict} at ${fault.at}`);
    if (fault.verdict !== "delay") this.befall(fault);
    await new Promise<void>((resolve) => void own.post(fault.verdict === "delay" ? fault.ms : 0, resolve));
  }

  #expected(error: unknown): void {
    this.#options.trace(`${this.process.name} hears of ${error instanceof EventRouterError ? error.code : String(error)}`);
    if (!(error instanceof Planned) && !isExpected(error)) this.#unexpected(error);
  }

  #unexpected(error: unknown): void {
    this.#options.violated(`${this.process.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
