import type { Interest } from "./interest.ts";
import type { LogEvent } from "./log-event.ts";
import { parcel, type Parcel } from "./parcel.ts";
import type { Reader } from "./reader.ts";

/** Sessions whose live cursors ask for the same under the same ids and with the same rights: they get the same bytes. */
export class Cohort {
  readonly key: string;
  /** What is asked for, and the ids of the cursors that do. */
  readonly routes: ReadonlyMap<Interest, readonly number[]>;
  readonly readers = new Set<Reader>();
  #events: LogEvent[] = [];
  #subs: (readonly number[])[] = [];

  constructor(key: string, routes: ReadonlyMap<Interest, readonly number[]>) {
    this.key = key;
    this.routes = routes;
  }

  /** Notes an event for these cursors; one that is noted already gets more of them, not a second copy. */
  add(event: LogEvent, subs: readonly number[]): void {
    const last = this.#events.length - 1;
    if (this.#events[last] === event) this.#subs[last] = [...this.#subs[last]!, ...subs];
    else {
      this.#events.push(event);
      this.#subs.push(subs);
    }
  }

  take(): Parcel {
    const taken = parcel(this.#events, this.#subs);
    this.#events = [];
    this.#subs = [];
    return taken;
  }
}
