import { Hono, type Context } from "hono";
import { ConflictError, fromWire, ValidationError } from "../../core/errors.ts";
import type { PublishResult } from "../../core/frames.ts";
import { timestamps, type EventLine } from "../../core/line.ts";
import type { Door, Published } from "../door.ts";
import { eventJson } from "../event-json.ts";
import { idsOfKey, idsOfSession, lineOf } from "../event-lines.ts";
import type { HttpDeps } from "../http-deps.ts";
import { readBody } from "../read-body.ts";
import { eventBody, eventsBody, historyQuery, readAs } from "../schemas.ts";
import { readPlace, readPosition, readSelection } from "../selection.ts";
import { visitorOf } from "../visitor.ts";

/** A page of the log, as the router's `read` answers. */
interface Page { readonly epoch: string; readonly events: readonly EventLine[]; readonly next: number | null }

/** `POST /events`: publish one, or several all or none. `GET /events`: history. */
export function eventRoutes({ doors, router, addressOf }: HttpDeps): Hono {
  const { limits } = router;
  const app = new Hono();

  app.post("/events", async (c) => {
    const body = await readBody(c, limits.frame);
    const several = Array.isArray(body);
    const events = several ? readAs(eventsBody, body, "ERR_BODY") : [readAs(eventBody, body, "ERR_BODY")];
    const ephemeral = events[0]!.ephemeral === true;
    if (events.some((event) => (event.ephemeral === true) !== ephemeral)) throw new ValidationError("ERR_BODY", "events that are stored and ephemeral ones cannot be published in one call; send two", { details: { path: "ephemeral" } });
    const key = readKey(c);
    const keyed = key === undefined ? undefined : await idsOfKey(key, events.length);
    const receipts = await doors.through(visitorOf(c, addressOf(c.env)), async (door) => {
      const ids = keyed ?? idsOfSession(events, () => door.eventId());
      const named = events.map((event, i) => ({ event, id: ids.of(i, event.id) }));
      const lines = named.map(({ event, id }, i) => lineOf(event, id, limits, several ? `[${i}]` : ""));
      const published = await door.publish(lines, { as: ephemeral ? "ephemeral" : several ? "all" : "each", ...(ids.run && !ephemeral && { run: 1 }) });
      return Promise.all(named.map(({ id }, i) => receiptOf(door, id, published, published.results[i]!)));
    }).catch((error: unknown) => { throw key === undefined ? error : ofKey(error); });
    return c.json(several ? receipts : receipts[0]!, 201);
  });

  app.get("/events", async (c) => {
    const query = readAs(historyQuery, c.req.query(), "ERR_QUERY");
    const selection = readSelection(query);
    const cursor = query.cursor === undefined ? undefined : readPosition(query.cursor);
    if (query.cursor !== undefined && cursor === undefined) throw new ValidationError("ERR_QUERY", "cursor must be a next_cursor of an earlier answer", { details: { path: "cursor" } });
    const from = query.from === undefined ? undefined : readPlace(query.from, "from");
    const to = query.to === undefined ? undefined : readPlace(query.to, "to");
    const page = await doors.through(visitorOf(c, addressOf(c.env)), (door) => door.call<Page>("read", {
      ...selection,
      limit: Math.max(Number(query.limit ?? 100), 1),
      ...(from !== undefined && ("seq" in from ? { after: Math.max(from.seq - 1, 0) } : { from: from.time })),
      ...(cursor !== undefined && { after: cursor[1] }),
      ...(to !== undefined && "time" in to && { to: to.time }),
    }));
    if (cursor !== undefined && cursor[0] !== page.epoch) throw new ConflictError("ERR_CURSOR_EPOCH", "the log this cursor belongs to is gone, and another has begun; start again without a cursor", { details: { epoch: page.epoch } });
    const lastSeq = to !== undefined && "seq" in to ? to.seq : Infinity;
    const lines = page.events.filter(([seq]) => seq <= lastSeq);
    const next = lines.length < page.events.length || (page.next ?? 0) >= lastSeq ? null : page.next;
    const timestamp = timestamps();
    return c.json({ events: lines.map((line) => eventJson(line, page.epoch, timestamp)), next_cursor: next === null ? null : `${page.epoch}:${next}` });
  });

  return app;
}

function readKey({ req }: Context): string | undefined {
  const key = req.header("Idempotency-Key");
  if (key !== undefined && (key === "" || key.length > 255)) throw new ValidationError("ERR_IDEMPOTENCY_KEY", "Idempotency-Key must have 1 to 255 characters; a random UUID is a good one", { details: { path: "Idempotency-Key" } });
  return key;
}

/** Who sent a key knows nothing of the ids made of it. */
function ofKey(error: unknown): unknown {
  if (!(error instanceof ConflictError)) return error;
  return new ConflictError(error.code, "this Idempotency-Key came before with another body; a new call needs a new key", { cause: error });
}

async function receiptOf(door: Door, id: string, { time }: Published, result: PublishResult): Promise<Readonly<Record<string, unknown>>> {
  if (typeof result === "object" && typeof result[0] === "string") throw fromWire(result as Parameters<typeof fromWire>[0]);
  const duplicate = typeof result === "object";
  const seq = duplicate ? (result[0] as number | null) : result;
  const stamped = duplicate && seq !== null ? (await timeOf(door, id, seq)) ?? time : time;
  return { event_id: id, status: duplicate ? "duplicate" : "published", timestamp: new Date(stamped).toISOString(), seq, epoch: door.epoch };
}

/** When an event that was there already was stamped; undefined if this visitor may not read it, or it is no longer there. */
async function timeOf(door: Door, id: string, seq: number): Promise<number | undefined> {
  const { events: [line] } = await door.call<Page>("read", { after: seq - 1, limit: 1 });
  return line?.[3] === id ? line[1] : undefined;
}
