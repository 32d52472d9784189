import type { Context } from "hono";
import { milliseconds } from "../core/duration.ts";
import { ConflictError, fromWire, ValidationError } from "../core/errors.ts";
import type { PublishMode, PublishResult } from "../core/frames.ts";
import type { Limits } from "../core/limits.ts";
import type { Door, Page, Published } from "./door.ts";
import type { Doors } from "./doors.ts";
import { idsOfKey, idsOfSession, lineOf } from "./event-lines.ts";
import type { EventBody } from "./schemas.ts";
import type { Visitor } from "./visitor.ts";

/** Publishes as one visitor. */
export interface Publishing {
  readonly doors: Doors;
  readonly limits: Limits;
  readonly visitor: Visitor;
  readonly events: readonly EventBody[];
  /** They came as a list, which stands or falls whole. */
  readonly several: boolean;
  readonly expect?: PublishMode["expect"];
}

/**
 * Publishes what a request brought, and says what became of each event.
 * @throws ValidationError, PermissionError, ConflictError … and whatever else the router refuses it for.
 */
export async function publishEvents(c: Context, { doors, limits, visitor, events, several, expect }: Publishing): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const ephemeral = events[0]!.ephemeral === true;
  if (events.some((event) => (event.ephemeral === true) !== ephemeral)) throw new ValidationError("ERR_BODY", "events that are stored and ephemeral ones cannot be published in one call; send two", { details: { path: "ephemeral" } });
  const later = laterOf(events, several || expect !== undefined);
  const key = readKey(c);
  const keyed = key === undefined ? undefined : await idsOfKey(key, events.length);
  return doors.through(visitor, async (door) => {
    const ids = keyed ?? idsOfSession(events, () => door.eventId());
    const named = events.map((event, i) => ({ event, id: ids.of(i, event.id) }));
    const lines = named.map(({ event, id }, i) => lineOf(event, id, limits, several ? `[${i}]` : ""));
    const whole = several || expect !== undefined;
    const mode: PublishMode = later ?? { as: ephemeral ? "ephemeral" : whole ? "all" : "each", ...(ids.run && !ephemeral && { run: 1 }), ...(expect !== undefined && { expect }) };
    const published = await door.publish(lines, mode);
    const receipts = await Promise.all(named.map(({ id }, i) => receiptOf(door, id, published, i)));
    // It has no place in the log before its time has come.
    return later === undefined ? receipts : receipts.map((receipt) => ({ ...receipt, seq: null }));
  }).catch((error: unknown) => { throw key === undefined ? error : ofKey(error); });
}

/** How an event is held back; undefined: it is not. @throws ValidationError for one that could not be alone */
function laterOf(events: readonly EventBody[], together: boolean): PublishMode | undefined {
  const { delay, deliver_at: at, ephemeral } = events.find((one) => one.delay !== undefined || one.deliver_at !== undefined) ?? {};
  if (delay === undefined && at === undefined) return undefined;
  if (together || ephemeral === true || (delay !== undefined && at !== undefined)) {
    throw new ValidationError("ERR_BODY", "an event is held back alone, by one of delay and deliver_at, and stored; send it by itself", { details: { path: delay === undefined ? "deliver_at" : "delay" } });
  }
  return delay === undefined ? { as: "later", at: Date.parse(at!) } : { as: "later", in: Math.ceil(milliseconds(delay, "delay")) };
}

function readKey({ req }: Context): string | undefined {
  const key = req.header("Idempotency-Key");
  if (key !== undefined && (key === "" || key.length > 255)) throw new ValidationError("ERR_IDEMPOTENCY_KEY", "Idempotency-Key must have 1 to 255 characters; a random UUID is a good one", { details: { path: "Idempotency-Key" } });
  return key;
}

/** Who sent a key knows nothing of the ids made of it. */
function ofKey(error: unknown): unknown {
  if (!(error instanceof ConflictError) || error.code !== "ERR_ID_CONFLICT") return error;
  return new ConflictError(error.code, "this Idempotency-Key came before with another body; a new call needs a new key", { cause: error });
}

async function receiptOf(door: Door, id: string, { time, results, versions }: Published, i: number): Promise<Readonly<Record<string, unknown>>> {
  const result: PublishResult = results[i]!;
  if (typeof result === "object" && typeof result[0] === "string") throw fromWire(result as Parameters<typeof fromWire>[0]);
  const duplicate = typeof result === "object";
  const seq = duplicate ? (result[0] as number | null) : result;
  const stamped = duplicate && seq !== null ? (await timeOf(door, id, seq)) ?? time : time;
  const version = versions?.[i];
  return { event_id: id, status: duplicate ? "duplicate" : "published", timestamp: new Date(stamped).toISOString(), seq, epoch: door.epoch, ...(typeof version === "number" && { version }) };
}

/** When an event that was there already was stamped; undefined if this visitor may not read it, or it is no longer there. */
async function timeOf(door: Door, id: string, seq: number): Promise<number | undefined> {
  const { events: [line] } = await door.call<Page>("read", { after: seq - 1, limit: 1 });
  return line?.[3] === id ? line[1] : undefined;
}
