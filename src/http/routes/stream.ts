import { Hono } from "hono";
import { EventRouterError, ValidationError } from "../../core/errors.ts";
import type { EventLine } from "../../core/line.ts";
import { eventWriter, formatOf, type EventFormat } from "../event-format.ts";
import { Feed, type FeedItem } from "../feed.ts";
import type { HttpDeps } from "../http-deps.ts";
import { problemOf } from "../problem.ts";
import { readAs, streamQuery } from "../schemas.ts";
import { readFrom, readPosition, readSelection } from "../selection.ts";
import { visitorOf } from "../visitor.ts";

/** Milliseconds of silence after which a comment goes out: proxies end what is silent for long, and a peer that has gone is noticed by a write. */
const SIGN_OF_LIFE = 15_000;
/** Milliseconds after which a browser comes back: not all at the same time. */
const RETRY = { least: 1_000, spread: 2_000 };

/** `GET /events/stream`: server-sent events (HTML, 9.2), for a stock `EventSource`. */
export function streamRoutes({ router, clock, callerOf }: HttpDeps): Hono {
  const app = new Hono();
  app.get("/events/stream", async (c) => {
    const query = readAs(streamQuery, c.req.query(), "ERR_QUERY");
    const lastId = c.req.header("Last-Event-ID") ?? query.last_event_id;
    const position = lastId === undefined || lastId === "" ? undefined : readPosition(lastId);
    if (lastId && position === undefined) throw new ValidationError("ERR_QUERY", "Last-Event-ID must be the id of an event of this stream, epoch:seq", { details: { path: "last_event_id" } });
    const from = position ?? readFrom(query.from ?? "now", "from");
    const visitor = visitorOf(c, query.ticket === undefined ? callerOf(c.env) : { ...callerOf(c.env), ticket: query.ticket });
    c.header("Cache-Control", "no-store, no-transform");
    // nginx would hold events back to fill a buffer.
    c.header("X-Accel-Buffering", "no");
    const feed = await Feed.open(router, visitor, { ...readSelection(query), from }, clock).catch((error: unknown) => {
      // An EventSource that is answered with an error never comes back (HTML, 9.2.3).
      if (error instanceof EventRouterError && error.retryable && c.req.header("Accept")?.includes("text/event-stream")) return error;
      throw error;
    });
    c.header("Content-Type", "text/event-stream; charset=utf-8");
    if (feed instanceof EventRouterError) return c.body(`: ${feed.message}\n${retryText(feed)}`);
    if (c.req.method === "HEAD") {
      feed.close();
      return c.body(null);
    }
    return c.body(streamOf(feed, writer(formatOf(c, query.format), visitor.namespace), `retry: ${RETRY.least + (clock.now() % RETRY.spread)}\n\n`));
  });
  return app;
}

type Writer = (line: EventLine, epoch: string) => unknown;

function writer(format: EventFormat, namespace: string): Writer {
  let last = "";
  let write = eventWriter(format, last, namespace);
  return (line, epoch) => {
    if (epoch !== last) write = eventWriter(format, (last = epoch), namespace);
    return write(line);
  };
}

/** Pulls as the response takes: without a buffer of its own, so that a pull says that all before it was written. */
function streamOf(feed: Feed, write: Writer, preface: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start: (controller) => controller.enqueue(encoder.encode(preface)),
    async pull(controller) {
      const fed = await feed.pull(SIGN_OF_LIFE);
      switch (fed.state) {
        case "items": return controller.enqueue(encoder.encode(fed.items.map((item) => textOf(item, write)).join("")));
        case "silent": return controller.enqueue(encoder.encode(":\n\n"));
        case "over": {
          const last = fed.error.retryable ? retryText(fed.error) : `event: end\ndata: ${JSON.stringify(problemOf(fed.error))}\n\n`;
          controller.enqueue(encoder.encode(last));
          controller.close();
        }
      }
    },
    cancel: () => feed.close(),
  }, { highWaterMark: 0 });
}

function retryText({ details }: EventRouterError): string {
  return `retry: ${Number(details.retryAfter ?? RETRY.least)}\n\n`;
}

function textOf(item: FeedItem, write: Writer): string {
  switch (item.state) {
    case "event": {
      const [seq] = item.line;
      // An ephemeral event has no place to come back to.
      const id = seq === 0 ? "" : `id: ${item.epoch}:${seq}\n`;
      return `${id}data: ${JSON.stringify(write(item.line, item.epoch))}\n\n`;
    }
    // An id alone sets where the browser resumes, and is no event: so what comes between now and the first event is not missed either.
    case "place": return `id: ${item.place.epoch}:${item.place.seq}\n\n`;
    case "gap": return `event: gap\nid: ${item.place.epoch}:${item.place.seq}\ndata: ${JSON.stringify(item.gap)}\n\n`;
  }
}
