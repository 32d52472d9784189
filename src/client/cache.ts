import type { Clock } from "../core/clock.ts";
import type { PublishInit } from "./publisher.ts";
import { settledReceipt, type Receipt } from "./receipt.ts";

interface Entry { readonly until: number; readonly receipt: Promise<Receipt> }

/** Remembers what was published: the same type and payload within the time is not sent again. The least recently used is forgotten first. */
export class PublishCache {
  readonly #entries = new Map<string, Entry>();
  readonly #size: number;
  readonly #ttl: number;
  readonly #clock: Clock;

  /** @param ttl ms */
  constructor(size: number, ttl: number, clock: Clock) {
    this.#size = size;
    this.#ttl = ttl;
    this.#clock = clock;
  }

  async publish(event: PublishInit, send: (event: PublishInit) => Promise<Receipt>): Promise<Receipt> {
    const key = keyOf(event);
    const known = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined) return send(event);
    if (known !== undefined && known.until > this.#clock.now()) {
      this.#remember(key, known);
      const first = await known.receipt.catch(() => undefined);
      if (first !== undefined) return cached(first);
    }
    const entry: Entry = { until: this.#clock.now() + this.#ttl, receipt: send(event) };
    this.#remember(key, entry);
    try {
      return await entry.receipt;
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  #remember(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#size) this.#entries.delete(this.#entries.keys().next().value!);
  }
}

/** Undefined for what is no JSON: publishing it says what is wrong. */
function keyOf({ type, payload }: PublishInit): string | undefined {
  try {
    return `${type} ${JSON.stringify(payload)}`;
  } catch {
    return undefined;
  }
}

function cached({ id, type, seq, epoch, timestamp, durability }: Receipt): Receipt {
  return settledReceipt({ id, type, seq, epoch, timestamp, durability, status: "cached" });
}
