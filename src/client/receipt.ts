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

/** A receipt that waits for nothing more. A class, as an object whose prototype is named costs ten times as much to make. */
class Settled {
  declare readonly id: Receipt["id"];
  declare readonly type: Receipt["type"];
  declare readonly seq: Receipt["seq"];
  declare readonly epoch: Receipt["epoch"];
  declare readonly version?: number;
  declare readonly timestamp: Receipt["timestamp"];
  declare readonly status: Receipt["status"];
  declare readonly durability: Receipt["durability"];

  constructor(id: string, type: string, seq: Receipt["seq"], epoch: Receipt["epoch"], timestamp: string, status: Receipt["status"], durability: Durability, version?: number | null) {
    this.id = id;
    this.type = type;
    this.seq = seq;
    this.epoch = epoch;
    this.timestamp = timestamp;
    this.status = status;
    this.durability = durability;
    if (typeof version === "number") this.version = version;
  }

  /** Made when asked for: most receipts are dropped unread. */
  get settled(): Promise<Receipt> { return Promise.resolve(this); }
}

export function settledReceipt(plain: Omit<Receipt, "settled">): Receipt {
  return Object.assign(Object.create(Settled.prototype) as Settled, plain);
}

/** An own id that the router has already is from an earlier attempt of this same publish, whose answer was lost. */
export function receiptOf({ id, type, own }: { id: string; type: string; own: boolean }, result: Exclude<PublishResult, WireError>, timestamp: string, later: boolean, { epoch, durability }: Welcome, version?: number | null): Receipt {
  const known = typeof result === "number";
  return new Settled(id, type, later ? null : known ? result : result[0], epoch, timestamp, known || own ? "published" : "duplicate", result === 0 && !later ? "none" : durability, version);
}
