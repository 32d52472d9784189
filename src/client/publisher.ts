import { eventIds, INSTANCE_LENGTH, randomText } from "../core/event-id.ts";
import type { Duration } from "../core/duration.ts";
import type { EventInit } from "../core/event.ts";
import type { ClientOutbox } from "./client-outbox.ts";
import type { Connection } from "./connection.ts";
import { lineOf, plainText, type EventText } from "./encode-event.ts";
import { Outbox, type OutgoingEvent, type Publication } from "./outbox.ts";
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

/** Turns what an application publishes into what waits in an outbox. What takes more than a plain event does is for `Publishing`. */
export class Publisher {
  readonly connection: Connection;
  readonly outbox: Outbox;
  /** Where what is stored goes first. */
  readonly queue: Pick<Outbox, "add" | "abandon">;
  /** Drawn when an event is sent, so that what is given up leaves no hole in the numbers. */
  readonly #nextId: () => string;
  readonly #timeout: number;

  constructor(connection: Connection, { timeout, maxPending }: Settings, randomBytes: (count: number) => Uint8Array, offline?: ClientOutbox) {
    this.connection = connection;
    this.#timeout = timeout;
    this.#nextId = eventIds(randomText(INSTANCE_LENGTH, randomBytes), () => connection.clock.now());
    connection.parts.push((this.outbox = new Outbox(connection, maxPending)));
    this.queue = offline ?? this.outbox;
  }

  /** Says whether it does: there may be more to it, or something wrong with it. @throws as `use` does */
  publish(event: PublishInit, caller: Pick<Publication, "resolve" | "reject">): boolean {
    const text = plainText(event);
    if (text === undefined) return false;
    this.use(this.queue);
    this.queue.add(this.publication([this.outgoing(event, text)], "each", caller));
    return true;
  }

  /** @throws why it can never be sent, if it could wait in this queue for nothing else. */
  use(queue: Publisher["queue"]): void {
    try {
      this.connection.use();
    } catch (error) {
      // Refused for good: what can wait, waits for reconnect().
      if (queue === this.outbox) throw error;
    }
  }

  outgoing({ id, type }: EventInit, text: EventText, nextId = this.#nextId): OutgoingEvent {
    const own = id === undefined;
    const eventId = own ? nextId() : id;
    return { id: eventId, type, text, line: lineOf(text, eventId), own };
  }

  publication(events: readonly OutgoingEvent[], as: Publication["as"], { timeout = this.#timeout, terms = {}, run = events.every(({ own }) => own), release, resolve, reject }: Pick<Publication, "resolve" | "reject"> & Partial<Pick<Publication, "release" | "run" | "terms">> & { readonly timeout?: number }): Publication {
    return { events, as, run, terms, deadline: this.connection.clock.now() + timeout, release, last: false, sent: false, settled: false, resolve, reject };
  }
}
