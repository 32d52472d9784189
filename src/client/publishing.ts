import { milliseconds } from "../core/duration.ts";
import { eventIds, INSTANCE_LENGTH, randomText } from "../core/event-id.ts";
import { Alarm } from "./alarm.ts";
import { asJson, encodeEvent } from "./check-event.ts";
import { checkFunction, checkSignal, invalidOption } from "./check-options.ts";
import type { EventText } from "./encode-event.ts";
import type { Home } from "./home.ts";
import type { Publication } from "./outbox.ts";
import type { Publisher, PublishInit, TogetherOptions } from "./publisher.ts";
import { eventOf } from "./read-arguments.ts";
import type { Receipt } from "./receipt.ts";
import { validate } from "./schema.ts";
import type { Spread } from "./spread.ts";
import { inTrace } from "./tracing.ts";
import type { Transaction } from "./transaction.ts";

/** An event whose text is made. */
export interface Encoded {
  readonly id: string | undefined;
  readonly type: string;
  readonly text: EventText;
}

/** An event of a batch. */
export type Tuple = readonly [type: string, payload?: unknown, meta?: object];

/** All that publishing can be: with schemas, deadlines, signals, traces, later, together, gathered in batches, spread over connections. Loaded for the first that is more than a plain event. */
export class Publishing {
  readonly #home: Home;
  readonly #publisher: Publisher;
  /** What is held back comes out of order, so its numbers are of another run. */
  readonly #nextLaterId: () => string;
  readonly #window: Alarm;
  #held: Publication[] = [];
  #spread: Promise<Spread> | undefined;

  constructor(home: Home) {
    const { clock, publisher, randomBytes } = home;
    this.#home = home;
    this.#publisher = publisher;
    this.#nextLaterId = eventIds(randomText(INSTANCE_LENGTH, randomBytes), () => clock.now());
    this.#window = new Alarm(clock, () => this.release());
  }

  /** @param hold it may wait until there are `batchSize` */
  publish(event: PublishInit, hold: boolean): Promise<Receipt> {
    const { poolSize, cacheSize } = this.#home.settings;
    if (hold || (poolSize === 1 && cacheSize === 0)) return this.#publish(this.#publisher, event, hold);
    this.#spread ??= import("./spread.ts").then(({ spread }) => spread(this.#home, (publisher, one) => this.#publish(publisher, one, false)));
    return this.#spread.then(({ publish }) => publish(event));
  }

  publishBatch(events: readonly Tuple[], options?: TogetherOptions): Promise<Receipt[]> {
    return this.publishEvents(listOf(events).map((event) => eventOf(...(listOf(event) as Tuple))), options);
  }

  publishEvents(events: readonly PublishInit[], options?: TogetherOptions): Promise<Receipt[]> {
    return this.publishAll(listOf(events).map((event) => this.encodeTogether(eventOf(event, undefined))), options);
  }

  async transaction(run: (tx: Transaction) => unknown, options?: TogetherOptions): Promise<Receipt[]> {
    checkFunction(run, "run");
    return (await import("./transaction.ts")).transaction(this, run, options);
  }

  /** All or none, consecutive. */
  publishAll(events: readonly (Encoded | Promise<Encoded>)[], options: TogetherOptions = {}): Promise<Receipt[]> {
    // Only schemas that take their time may let a later publish go before these.
    if (events.some((one) => one instanceof Promise)) return Promise.all(events.map((one) => Promise.resolve(one))).then((all) => this.publishAll(all, options));
    return new Promise((resolve, reject) => {
      if (events.length === 0) resolve([]);
      else this.#send(this.#publisher, events as readonly Encoded[], "all", options, resolve, reject, false);
    });
  }

  /** Checks an event against its schema, if it has one, and makes its text. */
  encode(init: PublishInit): Encoded | Promise<Encoded> {
    const event = inTrace(init);
    const { id, type, payload } = event;
    const { schema = {} } = this.#home.settings;
    if (!Object.hasOwn(schema, type)) return { id, type, text: encodeEvent(event) };
    const checked = validate(schema[type]!, payload, `the payload of "${type}"`);
    const encode = (value: unknown): Encoded => ({ id, type, text: encodeEvent({ ...event, payload: value }) });
    return checked instanceof Promise ? checked.then(encode) : encode(checked);
  }

  /** The same for an event that stands or falls with others, so it has no terms of its own. */
  encodeTogether(event: PublishInit): Encoded | Promise<Encoded> {
    for (const name of ["ephemeral", "delay", "deliverAt", "timeout", "signal"] as const) if (event[name] !== undefined) throw invalidOption(name, "is for an event alone, or for a batch or transaction as a whole");
    return this.encode(event);
  }

  /** What was held back to fill a batch leaves with this turn. */
  release(): number {
    this.#window.off();
    for (const one of this.#held.splice(0)) this.#queueOf(this.#publisher, one.as).add(one);
    return Infinity;
  }

  /** Resolves when all that was spread so far has its answer. */
  async drained(): Promise<void> {
    await (await this.#spread)?.drained();
  }

  #publish(publisher: Publisher, event: PublishInit, hold: boolean): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const { ephemeral = false } = event;
      if (typeof ephemeral !== "boolean") throw invalidOption("ephemeral", "must be true or false");
      const due = dueOf(event);
      if (ephemeral && due !== undefined) throw invalidOption("ephemeral", "cannot be held back; leave out one of both");
      const send = (one: Encoded): void => this.#send(publisher, [one], due === undefined ? ephemeral ? "ephemeral" : "each" : "later", { ...event, due }, ([receipt]) => resolve(receipt!), reject, hold);
      const encoded = this.encode(event);
      if (encoded instanceof Promise) encoded.then(send).catch(reject);
      else send(encoded);
    });
  }

  #send(publisher: Publisher, encoded: readonly Encoded[], as: Publication["as"], { timeout, signal, expect, due }: TogetherOptions & { due?: Due | undefined }, resolve: Publication["resolve"], reject: Publication["reject"], hold: boolean): void {
    checkSignal(signal);
    const queue = this.#queueOf(publisher, as);
    publisher.use(queue);
    const { batchSize, batchTimeout, timeout: fallback } = this.#home.settings;
    const ms = milliseconds(timeout ?? fallback, "timeout");
    // What is no id is sent as far as JSON has it: the router says what is right.
    const events = encoded.map(({ id, type, text }) => publisher.outgoing({ id: typeof id === "string" ? id : asJson("", id) as undefined, type }, text, due === undefined ? undefined : this.#nextLaterId));
    const abort = signal && (() => queue.abandon(one, signal.reason));
    const release = abort && (() => signal.removeEventListener("abort", abort));
    const one = publisher.publication(events, as, {
      ...(as === "ephemeral" || due !== undefined ? { run: false } : {}), terms: { ...due, ...(expect && { expect: [expect.stream, expect.version] }) }, timeout: ms, resolve, reject, release,
    });
    if (abort !== undefined) signal!.addEventListener("abort", abort, { once: true });
    if (hold && batchSize > 1) {
      one.last = this.#held.push(one) === batchSize;
      if (!one.last) return this.#window.set(this.#home.clock.now() + batchTimeout);
    }
    // Events of one publisher keep their order, so what is held back goes first.
    if (this.#held.length > 0) this.release();
    if (!one.last) queue.add(one);
  }

  #queueOf(publisher: Publisher, as: Publication["as"]): Publisher["queue"] {
    return as === "ephemeral" ? publisher.outbox : publisher.queue;
  }
}

/** @throws ValidationError if it is no list. */
function listOf<T>(list: readonly T[]): readonly T[] {
  if (!Array.isArray(list)) throw invalidOption("events", "must be an array: of events, or for publishBatch() of [type, payload]");
  return list;
}

type Due = { readonly in: number } | { readonly at: number };

/** @throws ValidationError naming the option. */
function dueOf({ delay, deliverAt }: PublishInit): Due | undefined {
  if (delay !== undefined && deliverAt !== undefined) throw invalidOption("deliverAt", "and delay exclude each other");
  if (delay !== undefined) return { in: Math.ceil(milliseconds(delay, "delay")) };
  if (deliverAt === undefined) return undefined;
  if (!(deliverAt instanceof Date && deliverAt.getTime() >= 0)) throw invalidOption("deliverAt", "must be a valid Date");
  return { at: deliverAt.getTime() };
}
