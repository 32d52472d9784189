import { eventIds, INSTANCE_LENGTH, randomText } from "../core/event-id.ts";
import { milliseconds, type Duration } from "../core/duration.ts";
import type { EventInit } from "../core/event.ts";
import { Alarm } from "./alarm.ts";
import { checkSignal, invalidOption } from "./check-options.ts";
import type { ClientOutbox } from "./client-outbox.ts";
import type { Connection } from "./connection.ts";
import { encodeEvent, lineOf, type EventText } from "./encode-event.ts";
import { Outbox, type OutgoingEvent, type Publication } from "./outbox.ts";
import type { Receipt } from "./receipt.ts";
import { inTrace } from "./tracing.ts";
import { validate } from "./schema.ts";
import type { Settings } from "./options.ts";
import type { WaitOptions } from "./wait.ts";

/** An event to be published, and how. */
export interface PublishInit extends EventInit, WaitOptions {
  /** Skips the log: at most once, to whoever listens now. */
  readonly ephemeral?: boolean;
  /** Holds it back for so long by the router's clock; it gets its place in the log then. `client.cancel(id)` calls it off. */
  readonly delay?: Duration;
  /** Holds it back until then; a time that is over is now. */
  readonly deliverAt?: Date;
}

/** How events that stand or fall together are published. */
export interface TogetherOptions extends WaitOptions {
  /** Refuses all with a ConflictError (`details.actualVersion`) unless this event stream's last event has that version; `"no-stream"`: unless it has none. */
  readonly expect?: { readonly stream: string; readonly version: number | "no-stream" };
}

/** An event whose text is made; its id is drawn when it is sent, so that what is given up leaves no hole in the numbers. */
export interface Encoded {
  readonly id: string | undefined;
  readonly type: string;
  readonly text: EventText;
}

/** Turns what an application publishes into what waits in an outbox. */
export class Publisher {
  readonly outbox: Outbox;
  /** Where what is stored goes first. */
  readonly #queue: Pick<Outbox, "add" | "abandon">;
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #nextId: () => string;
  /** What is held back comes out of order, so its numbers are of another run. */
  readonly #nextLaterId: () => string;
  readonly #window: Alarm;
  #held: Publication[] = [];

  constructor(connection: Connection, settings: Settings, randomBytes: (count: number) => Uint8Array, offline?: ClientOutbox) {
    const { clock } = connection;
    this.#connection = connection;
    this.#settings = settings;
    const ids = (): (() => string) => eventIds(randomText(INSTANCE_LENGTH, randomBytes), () => clock.now());
    this.#nextId = ids();
    this.#nextLaterId = ids();
    this.#window = new Alarm(clock, () => this.release());
    connection.parts.push((this.outbox = new Outbox(connection, settings.maxPending)));
    this.#queue = offline ?? this.outbox;
  }

  /** @param hold it may wait until there are `batchSize` */
  publish(event: PublishInit, hold = false): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const { ephemeral = false } = event;
      if (typeof ephemeral !== "boolean") throw invalidOption("ephemeral", "must be true or false");
      const due = dueOf(event);
      if (ephemeral && due !== undefined) throw invalidOption("ephemeral", "cannot be held back; leave out one of both");
      const send = (one: Encoded): void => this.#send([one], due === undefined ? ephemeral ? "ephemeral" : "each" : "later", { ...event, due }, ([receipt]) => resolve(receipt!), reject, hold);
      const encoded = this.encode(event);
      if (encoded instanceof Promise) encoded.then(send).catch(reject);
      else send(encoded);
    });
  }

  /** All or none, consecutive. */
  publishAll(events: readonly (Encoded | Promise<Encoded>)[], options: TogetherOptions = {}): Promise<Receipt[]> {
    // Only schemas that take their time may let a later publish go before these.
    if (events.some((one) => one instanceof Promise)) return Promise.all(events.map((one) => Promise.resolve(one))).then((all) => this.publishAll(all, options));
    return new Promise((resolve, reject) => {
      if (events.length === 0) resolve([]);
      else this.#send(events as readonly Encoded[], "all", options, resolve, reject, false);
    });
  }

  /** Checks an event against its schema, if it has one, and makes its text. */
  encode(init: PublishInit): Encoded | Promise<Encoded> {
    const event = inTrace(init);
    const { id, type, payload } = event;
    const { schema = {} } = this.#settings;
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
    for (const one of this.#held.splice(0)) this.#queueOf(one.as).add(one);
    return Infinity;
  }

  #send(encoded: readonly Encoded[], as: Publication["as"], { timeout = this.#settings.timeout, signal, expect, due }: TogetherOptions & { due?: Due | undefined }, resolve: Publication["resolve"], reject: Publication["reject"], hold: boolean): void {
    checkSignal(signal);
    const queue = this.#queueOf(as);
    try {
      this.#connection.use();
    } catch (error) {
      // Refused for good: what can wait, waits for reconnect().
      if (queue === this.outbox) throw error;
    }
    const now = this.#connection.clock.now();
    const deadline = now + milliseconds(timeout, "timeout");
    const events = encoded.map(({ id, type, text }): OutgoingEvent => {
      const own = id === undefined;
      const eventId = own ? (due === undefined ? this.#nextId() : this.#nextLaterId()) : id;
      return { id: eventId, type, text, line: lineOf(text, eventId), own };
    });
    const abort = signal && (() => queue.abandon(one, signal.reason));
    const release = abort && (() => signal.removeEventListener("abort", abort));
    const one: Publication = { events, as, run: as !== "ephemeral" && due === undefined && events.every(({ own }) => own), terms: { ...due, ...(expect && { expect: [expect.stream, expect.version] }) }, deadline, resolve, reject, release, last: false, sent: false, settled: false };
    if (abort !== undefined) signal!.addEventListener("abort", abort, { once: true });
    const { batchSize, batchTimeout } = this.#settings;
    if (hold && batchSize > 1) {
      one.last = this.#held.push(one) === batchSize;
      if (!one.last) return this.#window.set(now + batchTimeout);
    }
    // Events of one publisher keep their order, so what is held back goes first.
    if (this.#held.length > 0) this.release();
    if (!one.last) queue.add(one);
  }

  #queueOf(as: Publication["as"]): Pick<Outbox, "add" | "abandon"> {
    return as === "ephemeral" ? this.outbox : this.#queue;
  }
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
