import type { Clock } from "../core/clock.ts";
import { milliseconds, type Duration } from "../core/duration.ts";
import type { EventInit } from "../core/event.ts";
import { Alarm } from "./alarm.ts";
import type { Channel } from "./channel.ts";
import { invalidOption } from "./check-options.ts";
import { encodeEvent } from "./encode-event.ts";
import type { Publication } from "./outbox.ts";
import { receiptOf, type Receipt } from "./receipt.ts";
import type { Reporter } from "./reporter.ts";
import { validate } from "./schema.ts";
import type { StandardSchema } from "./typed-events.ts";

/** How long a call waits. */
export interface WaitOptions {
  /** Default: the client's `timeout`. */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
}

/** An event to be published, and how. */
export interface PublishInit extends EventInit, WaitOptions {
  /** Skips the log: at most once, to whoever listens now. */
  readonly ephemeral?: boolean;
}

/** An event whose line is made. */
export interface Encoded {
  readonly id: string | undefined;
  readonly type: string;
  /** The line without its `["id",`. */
  readonly body: string;
}

export interface PublisherOptions {
  readonly clock: Clock;
  /** ms */
  readonly timeout: number;
  readonly schemas: Readonly<Record<string, StandardSchema>> | undefined;
  readonly reporter: Reporter;
  /** Window of `publishNowait`; 1: none. */
  readonly batchSize: number;
  /** ms */
  readonly batchTimeout: number;
}

/** Turns what an application publishes into what waits in an outbox. */
export class Publisher {
  readonly #channel: Channel;
  readonly #options: PublisherOptions;
  readonly #window: Alarm;
  #held: Publication[] = [];

  constructor(channel: Channel, options: PublisherOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#window = new Alarm(options.clock, () => this.release());
  }

  publish(event: PublishInit): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const encoded = this.encode(event);
      if (encoded instanceof Promise) encoded.then((one) => this.#publish(one, event, resolve, reject)).catch(reject);
      else this.#publish(encoded, event, resolve, reject);
    });
  }

  /** Failures are reported, none is thrown. */
  publishNowait(event: PublishInit): void {
    const failed = (error: unknown): void => this.fail(error, event);
    try {
      const encoded = this.encode(event);
      if (encoded instanceof Promise) encoded.then((one) => this.#hold(one, event)).catch(failed);
      else this.#hold(encoded, event);
    } catch (error) {
      failed(error);
    }
  }

  /** All or none, consecutive. */
  async publishAll(events: readonly Encoded[], { timeout, signal }: WaitOptions = {}): Promise<Receipt[]> {
    signal?.throwIfAborted();
    if (events.length === 0) return [];
    this.#channel.connection.use();
    const deadline = this.#deadline(timeout);
    const run = events.every(({ id }) => id === undefined);
    const ids = events.map(({ id }) => id ?? this.#channel.nextEventId());
    return new Promise((resolve, reject) => this.#add({
      text: events.map(({ body }, i) => `["${ids[i]}",${body}`).join("\n"),
      count: events.length, as: "all", run, deadline,
      accept: (results, first, time, terms) => resolve(events.map(({ id, type }, i) => receiptOf(ids[i]!, type, results[first + i]!, id === undefined, time, terms))),
      reject,
    }, signal));
  }

  /** Checks an event against its schema, if it has one, and makes its line. */
  encode(event: PublishInit): Encoded | Promise<Encoded> {
    const { id, type, payload } = event;
    const { schemas } = this.#options;
    const schema = schemas !== undefined && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
    if (schema === undefined) return { id, type, body: encodeEvent(event) };
    const checked = validate(schema, payload, `the payload of "${type}"`);
    const encode = (value: unknown): Encoded => ({ id, type, body: encodeEvent({ ...event, payload: value }) });
    return checked instanceof Promise ? checked.then(encode) : encode(checked);
  }

  /** The same for an event that stands or falls with others, so it has no terms of its own. */
  encodeTogether(event: PublishInit): Encoded | Promise<Encoded> {
    for (const name of ["ephemeral", "timeout", "signal"] as const) if (event[name] !== undefined) throw invalidOption(name, "is not for one event of a batch or transaction; publish it alone, or give it to the whole");
    return this.encode(event);
  }

  /** What was held back to fill a batch leaves with this turn. */
  release(): number {
    this.#window.off();
    const held = this.#held;
    this.#held = [];
    for (const one of held) this.#channel.outbox.add(one);
    return Infinity;
  }

  #publish({ id, type, body }: Encoded, { ephemeral, timeout, signal }: PublishInit, resolve: (receipt: Receipt) => void, reject: (error: unknown) => void): void {
    signal?.throwIfAborted();
    this.#channel.connection.use();
    const deadline = this.#deadline(timeout);
    const own = id === undefined;
    const eventId = id ?? this.#channel.nextEventId();
    this.#add({
      text: `["${eventId}",${body}`,
      count: 1, as: ephemeral === true ? "ephemeral" : "each", run: own && ephemeral !== true, deadline,
      accept: (results, i, time, terms) => resolve(receiptOf(eventId, type, results[i]!, own, time, terms)),
      reject,
      settled: false,
    }, signal);
  }

  /** Events of one publisher keep their order, so what is held back goes first. */
  #add(one: Publication, signal: AbortSignal | undefined): void {
    if (this.#held.length > 0) this.release();
    this.#channel.outbox.add(signal === undefined ? one : abortable(one, signal, (abandoned) => this.#channel.outbox.abandon(abandoned, signal.reason)));
  }

  #hold({ id, body }: Encoded, event: PublishInit): void {
    this.#channel.connection.use();
    const eventId = id ?? this.#channel.nextEventId();
    const one: Publication = {
      text: `["${eventId}",${body}`,
      count: 1, as: event.ephemeral === true ? "ephemeral" : "each", run: id === undefined && event.ephemeral !== true,
      deadline: this.#deadline(event.timeout),
      accept: () => {},
      reject: (error) => this.fail(error, event, eventId),
      settled: false,
    };
    const { batchSize, batchTimeout, clock } = this.#options;
    if (batchSize === 1) return this.#channel.outbox.add(one);
    this.#held.push(one);
    if (this.#held.length < batchSize) return this.#window.set(clock.now() + batchTimeout);
    one.last = true;
    this.release();
  }

  /** Reports an event that nobody waits for and that was not published. */
  fail(error: unknown, { type, payload, id = "", priority = 5, source, target, correlationId, headers }: PublishInit, eventId = id): void {
    const timestamp = new Date(this.#options.clock.now()).toISOString();
    const meta = Object.fromEntries(Object.entries({ source, target, correlationId, headers }).filter(([, value]) => value !== undefined));
    this.#options.reporter.report(error, { id: eventId, type, payload, seq: 0, epoch: "", timestamp, priority, pending: true, ...meta });
  }

  #deadline(timeout: Duration | undefined): number {
    return this.#options.clock.now() + (timeout === undefined ? this.#options.timeout : milliseconds(timeout, "timeout"));
  }
}

function abortable(one: Publication, signal: AbortSignal, abandon: (one: Publication) => void): Publication {
  const abort = (): void => abandon(watched);
  const release = (): void => signal.removeEventListener("abort", abort);
  signal.addEventListener("abort", abort, { once: true });
  const watched: Publication = {
    ...one,
    accept: (...answer) => { release(); one.accept(...answer); },
    reject: (error) => { release(); one.reject(error); },
  };
  return watched;
}
