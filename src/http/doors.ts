import type { Clock } from "../core/clock.ts";
import { Door } from "./door.ts";
import type { Connectable } from "./pipe.ts";
import type { Visitor } from "./visitor.ts";

/** Milliseconds for which a credential is believed without being asked again, and a session is kept for the next request. */
const FRESH = 15_000;
/** Sessions kept at a time; more visitors than that still get in, each pushing out the oldest. */
const MOST = 256;

interface Entry {
  readonly key: string;
  readonly door: Promise<Door>;
  readonly since: number;
  users: number;
}

/** The sessions behind the requests: one for all requests of a visitor, since opening one costs four times what a publish does. */
export class Doors {
  readonly #router: Connectable;
  readonly #surroundings: Clock & { randomBytes(count: number): Uint8Array };
  readonly #fresh: number;
  /** In the order of their opening. */
  readonly #entries = new Map<string, Entry>();

  /** @param fresh 0: a session lives no longer than the requests that use it, and nothing waits behind them (for hosts that must come to rest) */
  constructor(router: Connectable, surroundings: Clock & { randomBytes(count: number): Uint8Array }, fresh = FRESH) {
    this.#router = router;
    this.#surroundings = surroundings;
    this.#fresh = fresh;
  }

  /**
   * Does something as this visitor.
   * @throws AuthenticationError, PermissionError … if the visitor is not let in; and what `use` throws.
   */
  async through<T>(visitor: Visitor, use: (door: Door) => Promise<T>): Promise<T> {
    const entry = this.#enter(visitor);
    entry.users++;
    try {
      return await use(await entry.door);
    } finally {
      if (--entry.users === 0) this.#used(entry);
    }
  }

  #used(entry: Entry): void {
    const current = this.#entries.get(entry.key) === entry;
    if (current && this.#fresh > 0) return;
    if (current) this.#entries.delete(entry.key);
    leave(entry);
  }

  #enter(visitor: Visitor): Entry {
    if (this.#fresh > 0) this.#retire();
    const key = JSON.stringify(visitor);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const forget = (): void => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    const door = Door.open(this.#router, visitor, this.#surroundings, forget);
    const entry: Entry = { key, door, since: this.#surroundings.now(), users: 0 };
    // One timer at a time, for the oldest; an empty house has none.
    if (this.#entries.size === 0 && this.#fresh > 0) this.#wake();
    this.#entries.set(key, entry);
    door.catch(forget);
    return entry;
  }

  #wake(): void {
    this.#surroundings.after(this.#fresh, () => {
      this.#retire();
      if (this.#entries.size > 0) this.#wake();
    });
  }

  /** Those that are too old or too many serve whom they serve, and nobody new. */
  #retire(): void {
    const expired = this.#surroundings.now() - this.#fresh;
    for (const entry of this.#entries.values()) {
      if (entry.since > expired && this.#entries.size < MOST) return;
      this.#entries.delete(entry.key);
      if (entry.users === 0) leave(entry);
    }
  }
}

function leave({ door }: Entry): void {
  door.then((one) => one.close(), () => {});
}
