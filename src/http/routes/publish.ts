import { Hono, type Context } from "hono";
import { ConflictError, fromWire, ValidationError } from "../../core/errors.ts";
import type { PublishResult } from "../../core/frames.ts";
import type { Door, Page, Published } from "../door.ts";
import { idsOfKey, idsOfSession, lineOf } from "../event-lines.ts";
import type { HttpDeps } from "../http-deps.ts";
import { readBody } from "../read-body.ts";
import { eventBody, eventsBody, readAs } from "../schemas.ts";
import { visitorOf } from "../visitor.ts";

/** `POST /events`: publish one, or several all or none. */
export function publishRoutes({ doors, router, callerOf }: HttpDeps): Hono {
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
    const receipts = await doors.through(visitorOf(c, callerOf(c.env)), async (door) => {
      const ids = keyed ?? idsOfSession(events, () => door.eventId());
      const named = events.map((event, i) => ({ event, id: ids.of(i, event.id) }));
      const lines = named.map(({ event, id }, i) => lineOf(event, id, limits, several ? `[${i}]` : ""));
      const published = await door.publish(lines, { as: ephemeral ? "ephemeral" : several ? "all" : "each", ...(ids.run && !ephemeral && { run: 1 }) });
      return Promise.all(named.map(({ id }, i) => receiptOf(door, id, published, published.results[i]!)));
    }).catch((error: unknown) => { throw key === undefined ? error : ofKey(error); });
    return c.json(several ? receipts : receipts[0]!, 201);
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
