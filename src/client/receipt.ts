import type { Durability, PublishResult, Welcome } from "../core/frames.ts";
import type { WireError } from "../core/errors.ts";

/** What became of a publish. */
export interface Receipt {
  readonly id: string;
  readonly type: string;
  /** Place in the log; 0 if ephemeral, null if not known, or not yet there because it is held back. */
  readonly seq: number | null;
  readonly epoch: string | null;
  /** Place in its event stream, of an event that names one. */
  readonly version?: number;
  /** When the router took it, RFC 3339. */
  readonly timestamp: string;
  /** `duplicate`: an event with this id was there already. `cached`: not sent, see `cacheSize`. `queued`: waits in the outbox. */
  readonly status: "published" | "duplicate" | "queued" | "cached";
  /** How long the router's promise to keep it holds. */
  readonly durability: Durability;
  /** Of a `queued` one: resolves when the router has it. */
  readonly settled: Promise<Receipt>;
}

/** The promise is made when asked for: most receipts are dropped unread. */
const settled = { get settled() { return Promise.resolve(this); } };

/** A receipt that waits for nothing more. */
export function settledReceipt(plain: Omit<Receipt, "settled">): Receipt {
  return { __proto__: settled, ...plain } as unknown as Receipt;
}

/** An own id that the router has already is from an earlier attempt of this same publish, whose answer was lost. */
export function receiptOf(event: { id: string; type: string; own: boolean }, result: Exclude<PublishResult, WireError>, timestamp: string, later: boolean, { epoch, durability }: Welcome, version?: number | null): Receipt {
  const known = typeof result === "number";
  return {
    __proto__: settled, id: event.id, type: event.type, seq: later ? null : known ? result : result[0], epoch, timestamp,
    status: known || event.own ? "published" : "duplicate", durability: result === 0 && !later ? "none" : durability, ...(typeof version === "number" && { version }),
  } as unknown as Receipt;
}
