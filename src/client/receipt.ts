import type { Durability, PublishResult } from "../core/frames.ts";

/** What became of a publish. */
export interface Receipt {
  readonly id: string;
  readonly type: string;
  /** Place in the log; 0 if ephemeral, null if not known. */
  readonly seq: number | null;
  readonly epoch: string | null;
  /** When the router took it, RFC 3339. */
  readonly timestamp: string;
  /** `duplicate`: an event with this id was there already. `cached`: not sent, see `cacheSize`. `queued`: waits in the outbox. */
  readonly status: "published" | "duplicate" | "queued" | "cached";
  /** How long the router's promise to keep it holds. */
  readonly durability: Durability;
  /** Of a `queued` one: resolves when the router has it. */
  readonly settled: Promise<Receipt>;
}

/** What receipts of one session have in common. */
export interface Terms {
  readonly epoch: string;
  readonly durability: Durability;
  timestamp(time: number): string;
}

class Published implements Receipt {
  readonly id: string;
  readonly type: string;
  readonly seq: number | null;
  readonly epoch: string;
  readonly timestamp: string;
  readonly status: "published" | "duplicate";
  readonly durability: Durability;

  constructor(id: string, type: string, seq: number | null, status: "published" | "duplicate", time: number, { epoch, durability, timestamp }: Terms) {
    this.id = id;
    this.type = type;
    this.seq = seq;
    this.epoch = epoch;
    this.timestamp = timestamp(time);
    this.status = status;
    this.durability = seq === 0 ? "none" : durability;
  }

  /** Made when asked for: most receipts are dropped unread. */
  get settled(): Promise<Receipt> { return Promise.resolve(this); }
}

/**
 * @param own the id was made here: if the router has it already, that was an earlier attempt of this same publish, whose answer was lost.
 */
export function receiptOf(id: string, type: string, result: Exclude<PublishResult, readonly [string, ...unknown[]]>, own: boolean, time: number, terms: Terms): Receipt {
  return typeof result === "number"
    ? new Published(id, type, result, "published", time, terms)
    : new Published(id, type, result[0], own ? "published" : "duplicate", time, terms);
}
