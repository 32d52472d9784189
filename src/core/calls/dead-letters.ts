import { eventOf, type DeadLetter, type DeadLetters } from "../dead-letters.ts";
import { asError, SubscriptionError, toWire, ValidationError, type WireError } from "../errors.ts";
import { readFailure } from "../failure.ts";
import type { LogEvent } from "../log-event.ts";
import { isReserved } from "../pattern.ts";
import { mayRead, type Reader } from "../reader.ts";
import { type Caller, demand, MOST_EVENTS, MOST_SIZE, whole } from "./call.ts";

type Params = Readonly<Record<string, unknown>>;

/**
 * A client gives up on an event of one of its subscriptions: `{ sub, seq, epoch?, attempts, error: { name, message } }`. Answers `{ id }` when the record is durable:
 * only then may the client let its cursor move on (P6).
 */
export async function bury({ namespace, reader, memberships }: Caller, params: Params): Promise<string> {
  const sub = whole(params, "sub");
  const seq = whole(params, "seq");
  const cursor = reader.cursors.get(sub ?? -1);
  const group = memberships.get(sub ?? -1)?.group;
  const interest = cursor?.interest ?? group?.interest;
  if (sub === undefined || interest === undefined) throw new SubscriptionError("ERR_SUBSCRIPTION_GONE", "this session has no such subscription; dead letters are of its own subscriptions", { details: { sub } });
  const [event] = await namespace.log.read((seq ?? 0) - 1, { events: 1, size: 1 });
  // In another life of the log the same seq is another event.
  const sameLife = params.epoch === undefined || params.epoch === namespace.log.epoch;
  if (seq === undefined || !sameLife || event?.seq !== seq || isReserved(event.type) || !mayRead(reader, event) || !interest.matches(event)) throw new ValidationError("ERR_DEAD_LETTER", `there is no event ${seq} for this subscription in the log`, { details: { path: "seq" } });
  const id = await namespace.work.deadLetters.add({ subscription: cursor?.label ?? group!.key, event, attempts: whole(params, "attempts") ?? 1, error: readFailure(params.error) });
  return JSON.stringify({ id });
}

/** Open dead letters, oldest first: `{ subscription?, ids?, after?, limit? }`; `after` is an id. Answers `{ letters, total, next }`. */
export async function list({ namespace, principal, reader }: Caller, params: Params): Promise<string> {
  demand(principal, "manage");
  const { deadLetters } = namespace.work;
  const all = deadLetters.ids(text(params, "subscription"));
  const wanted = params.ids === undefined ? all : deadLetters.resolve(idsOf(params));
  const after = text(params, "after");
  const limit = Math.min(whole(params, "limit") ?? 100, MOST_EVENTS);
  const letters: object[] = [];
  let size = 0;
  let at = after === undefined ? 0 : wanted.indexOf(after) + 1;
  for (; at < wanted.length && letters.length < limit && size < MOST_SIZE; at++) {
    const letter = await deadLetters.read(wanted[at]!);
    if (letter === undefined || !isFor(reader, eventOf(letter))) continue;
    letters.push(described(letter, deadLetters.reviving.has(letter.id)));
    size += letter.line.length;
  }
  return JSON.stringify({ epoch: namespace.log.epoch, letters, total: all.length, next: at < wanted.length ? wanted[at - 1] : null });
}

/** Tries them again, at the subscription that failed: `{ ids }` (of dead letters or of their events) or `{ all: true, subscription? }`. Answers `{ retrying: ids, failed: [[id, error]] }`. */
export async function retry({ namespace, principal }: Caller, params: Params): Promise<string> {
  demand(principal, "manage");
  const { work } = namespace;
  const retrying: string[] = [];
  const failed: (readonly [string, WireError])[] = [];
  for (const id of chosen(params, work.deadLetters)) {
    try {
      await work.revive(id);
      retrying.push(id);
    } catch (error) {
      failed.push([id, toWire(asError(error, (cause) => new SubscriptionError("ERR_STORE", "the dead letter could not be read; retry later", { retryable: true, cause })))]);
    }
  }
  return JSON.stringify({ retrying, failed });
}

/** Gives them up for good: `{ ids }` (of dead letters or of their events) or `{ all: true, subscription? }`. Answers `{ discarded: ids }`. */
export async function discard({ namespace, principal }: Caller, params: Params): Promise<string> {
  demand(principal, "manage");
  const { deadLetters } = namespace.work;
  const open = new Set(deadLetters.ids());
  const ids = chosen(params, deadLetters).filter((id) => open.has(id));
  await deadLetters.close(ids, "discarded");
  return JSON.stringify({ discarded: ids });
}

function described({ id, subscription, line, attempts, error, failedAt }: DeadLetter, retrying: boolean): object {
  return { id, subscription, attempts, error, failedAt, retrying, event: JSON.parse(line) as unknown };
}

/** A dead letter is as secret as its event, also for who manages. The target is not asked: it is no longer on its way to anybody. */
function isFor({ rights }: Reader, event: LogEvent): boolean {
  return rights.allows("subscribe", event.type);
}

function chosen(params: Params, deadLetters: DeadLetters): readonly string[] {
  return params.all === true ? deadLetters.ids(text(params, "subscription")) : deadLetters.resolve(idsOf(params));
}

function idsOf({ ids }: Params): readonly string[] {
  if (!Array.isArray(ids) || ids.length > MOST_EVENTS || ids.some((id) => typeof id !== "string")) throw new ValidationError("ERR_PARAMETER", `ids must be a list of at most ${MOST_EVENTS} ids of dead letters, or all: true`, { details: { path: "ids" } });
  return ids as string[];
}

function text(params: Params, name: string): string | undefined {
  const value = params[name];
  if (value !== undefined && typeof value !== "string") throw new ValidationError("ERR_PARAMETER", `${name} must be a string`, { details: { path: name } });
  return value as string | undefined;
}
