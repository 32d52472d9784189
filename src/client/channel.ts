import type { EventRouterError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { eventIds, randomText, INSTANCE_LENGTH } from "../core/event-id.ts";
import type { RouterFrame } from "../core/frames.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import { encodePayload } from "./check-event.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { Outbox } from "./outbox.ts";
import { Requests } from "./requests.ts";
import type { Responders } from "./responders.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface ChannelOptions extends Omit<ConnectionOptions, "receive"> {
  readonly maxPending: number;
  randomBytes(count: number): Uint8Array;
}

/** A connection and all that talks over it. */
export class Channel {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly subscriptions: Subscriptions;
  readonly requests: Requests;
  #responders: Responders | undefined;
  readonly #makeResponders: () => Promise<Responders>;
  #loading: Promise<Responders> | undefined;
  /** The ids of what is published here: running numbers, so that the router need keep only the highest. */
  readonly nextEventId: () => string;
  /** Those of requests, which are not stored, are no part of that run. */
  readonly nextRequestId: () => string;
  readonly #timestamp = timestamps();

  constructor(options: ChannelOptions) {
    const { clock, report } = options;
    let reqs = 0;
    let ids = 0;
    const nextReq = () => ++reqs;
    const nextId = () => ++ids;
    const wake = () => this.connection.wake();
    const lastError = (): EventRouterError | undefined => this.connection.error;
    const makeIds = () => eventIds(randomText(INSTANCE_LENGTH, options.randomBytes), () => clock.now());
    this.nextEventId = makeIds();
    this.nextRequestId = makeIds();
    this.outbox = new Outbox({ clock, most: options.maxPending, nextReq, wake, lastError });
    this.subscriptions = new Subscriptions({ nextId, wake, received: () => this.connection.received });
    this.#makeResponders = async () => {
      const { Responders } = await import("./responders.ts");
      return new Responders({ nextId, wake, report, encodePayload, leave: (id) => this.subscriptions.leave(id) });
    };
    this.requests = new Requests({ clock, nextReq, wake, lastError });
    // In a turn's message, who listens comes before what is said: a handler sees what is published after it in the same turn.
    const parts = [this.subscriptions, this.outbox, this.requests];
    this.connection = new Connection({ ...options, receive: (frame, size) => this.#receive(frame, size) }, parts);
  }

  /** Loads what answers requests, once. */
  responders(): Promise<Responders> {
    return (this.#loading ??= this.#makeResponders().then((loaded) => {
      this.#responders = loaded;
      this.connection.join(loaded);
      return loaded;
    }));
  }

  /** Resolves when what `responders()` began is done: an offer goes out before what is asked after it. */
  async offered(): Promise<Responders | undefined> {
    return this.#loading;
  }

  #receive(frame: RouterFrame, size: number): void {
    switch (frame[0]) {
      case "ev": return this.subscriptions.events(frame[1], frame[2], size);
      case "mix": return this.subscriptions.mixed(frame[1], frame[2], size);
      case "pub": return this.outbox.answered(frame[1], frame[2], frame[3]);
      case "ok": return this.requests.answered(frame[1], frame[2]);
      case "err": return void (this.outbox.refused(frame[1], frame[2]) || this.requests.refused(frame[1], frame[2]));
      case "on": return void (this.subscriptions.on(frame[1], frame[2], frame[3]) || this.#responders?.on(frame[1]));
      case "end": return void (this.subscriptions.end(frame[1], frame[2]) || this.#responders?.end(frame[1], frame[2]));
      case "gap": return this.subscriptions.gap(frame[1], frame[2]);
      case "ask": return void this.#responders?.asked(frame[1], this.decode(frame[3]));
      // What a newer router says besides is for newer clients.
    }
  }

  decode(line: EventLine): RouterEvent {
    return decodeLine(line, this.connection.welcome?.epoch ?? "", this.#timestamp);
  }
}
