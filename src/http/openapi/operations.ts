import type * as z from "zod";
import { BATCH, STRUCTURED } from "../event-format.ts";
import { deadLetterQuery, eventQuery, historyQuery, plainQuery, requestQuery, streamAppendQuery, streamQuery, streamReadQuery } from "../schemas.ts";

/** The name of a schema of the document. */
export type SchemaName =
  | "EventInput" | "EventInputs" | "PublishInput" | "RequestInput" | "CloudEvent" | "CloudEvents" | "Event" | "EventPage" | "StreamPage" | "Receipt" | "Receipts" | "ReceiptOrReceipts"
  | "Ticket" | "DeadLetter" | "DeadLetterPage" | "DeadLetterChoice" | "Retried" | "Discarded" | "PurgeInput" | "Purged" | "Stats" | "Subscription" | "Subscriptions" | "Health" | "Problem" | "Text" | "Json";

/** Content by media type. */
export type Content = Readonly<Record<string, SchemaName>>;

export interface Answer { readonly about: string; readonly content?: Content }

/** One call of the HTTP API: what routes do and what the document says is compared by a test. */
export interface Operation {
  readonly method: "get" | "post";
  readonly path: string;
  readonly id: string;
  readonly tag: "Events" | "Requests" | "Event streams" | "Management" | "About";
  readonly summary: string;
  readonly about?: string;
  readonly pathParameters?: Readonly<Record<string, { readonly type: "string" | "integer"; readonly about: string }>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: z.ZodObject;
  readonly body?: Content;
  readonly answers: Readonly<Record<string, Answer>>;
  /** Statuses of refusals besides those that every call has. */
  readonly problems?: readonly number[];
  /** Needs no credential. */
  readonly open?: true;
}

const json = (name: SchemaName): Content => ({ "application/json": name });
const events: Content = { "application/json": "PublishInput", [STRUCTURED]: "CloudEvent", [BATCH]: "CloudEvents" };
const trace = { traceparent: "The trace (W3C) that the event belongs to; handlers find it among the event's headers" };
const idempotencyKey = { "Idempotency-Key": "The same key with the same body stores nothing twice, however late it comes" };

export const operations: readonly Operation[] = [
  {
    method: "post", path: "/api/v1/events", id: "publishEvents", tag: "Events", summary: "Publish an event, or several all or none",
    about: "The answer comes when the events are as durable as the router promises. CloudEvents come structured, in a batch, or in binary mode: attributes as ce- headers, data as the body.",
    query: plainQuery, headers: { ...idempotencyKey, ...trace }, body: events, problems: [409, 413, 415],
    answers: { 201: { about: "Published, or there already", content: json("ReceiptOrReceipts") } },
  },
  {
    method: "get", path: "/api/v1/events", id: "listEvents", tag: "Events", summary: "Read the log, in pages", query: historyQuery, problems: [409, 410],
    about: "With CloudEvents, as Accept or format says, an array of them and the next page as a Link header.",
    answers: { 200: { about: "A page", content: { "application/json": "EventPage", [BATCH]: "CloudEvents" } } },
  },
  {
    method: "get", path: "/api/v1/events/stream", id: "streamEvents", tag: "Events", summary: "Follow the log as Server-Sent Events", query: streamQuery,
    about: "For an EventSource. The id of a message is epoch:seq; a browser that comes back sends it as Last-Event-ID and misses nothing. An event of type gap tells what can no longer be delivered, one of type end why no more will come.",
    headers: { "Last-Event-ID": "The id of the last message; what came after it is sent" },
    answers: { 200: { about: "Messages whose data is an event", content: { "text/event-stream": "Text" } } },
  },
  {
    method: "get", path: "/api/v1/events/{seq}", id: "getEvent", tag: "Events", summary: "Read one event", query: eventQuery, problems: [404],
    pathParameters: { seq: { type: "integer", about: "Its place in the log" } },
    answers: { 200: { about: "The event", content: { "application/json": "Event", [STRUCTURED]: "CloudEvent" } } },
  },
  {
    method: "post", path: "/api/v1/requests", id: "request", tag: "Requests", summary: "Ask whoever responds to a type", query: requestQuery, headers: trace, problems: [404, 413, 415, 502, 504],
    about: "404: nobody responds. 502: the responder failed, or was lost. 504: no answer in time, and unknown whether it was carried out. A CloudEvent is answered with one, in the same mode.",
    body: { "application/json": "RequestInput", [STRUCTURED]: "CloudEvent" },
    answers: { 200: { about: "The response's payload", content: { "application/json": "Json", [STRUCTURED]: "CloudEvent" } } },
  },
  {
    method: "get", path: "/api/v1/streams/{stream}/events", id: "readStream", tag: "Event streams", summary: "Read an event stream", query: streamReadQuery,
    pathParameters: { stream: { type: "string", about: "Its name" } },
    answers: { 200: { about: "A page", content: json("StreamPage") } },
  },
  {
    method: "post", path: "/api/v1/streams/{stream}/events", id: "appendToStream", tag: "Event streams", summary: "Append to an event stream, all or none", query: streamAppendQuery,
    about: "409: the stream stands elsewhere than expected, and details.actualVersion says where; nothing was stored.",
    pathParameters: { stream: { type: "string", about: "Its name" } }, headers: { ...idempotencyKey, ...trace }, body: events, problems: [409, 413, 415],
    answers: { 201: { about: "Appended, or there already", content: json("ReceiptOrReceipts") } },
  },
  { method: "get", path: "/api/v1/stats", id: "getStats", tag: "Management", summary: "Figures of the log and its readers", query: plainQuery, answers: { 200: { about: "Figures", content: json("Stats") } } },
  { method: "get", path: "/api/v1/subscriptions", id: "listSubscriptions", tag: "Management", summary: "Subscriptions that are open", query: plainQuery, answers: { 200: { about: "Subscriptions", content: json("Subscriptions") } } },
  {
    method: "get", path: "/api/v1/dead-letters", id: "listDeadLetters", tag: "Management", summary: "Events that failed for good", query: deadLetterQuery,
    answers: { 200: { about: "A page, oldest first", content: json("DeadLetterPage") } },
  },
  {
    method: "post", path: "/api/v1/dead-letters/retry", id: "retryDeadLetters", tag: "Management", summary: "Try dead letters again, at the subscription that failed", query: plainQuery,
    body: json("DeadLetterChoice"), problems: [413, 415], answers: { 200: { about: "Which are tried again, and which cannot be", content: json("Retried") } },
  },
  {
    method: "post", path: "/api/v1/dead-letters/discard", id: "discardDeadLetters", tag: "Management", summary: "Give dead letters up for good", query: plainQuery,
    body: json("DeadLetterChoice"), problems: [413, 415], answers: { 200: { about: "Which are given up", content: json("Discarded") } },
  },
  {
    method: "post", path: "/api/v1/purge", id: "purge", tag: "Management", summary: "Remove the oldest events of the log", query: plainQuery, about: "Without confirm it only says what it would remove.",
    body: json("PurgeInput"), problems: [413, 415], answers: { 200: { about: "What is removed, or would be", content: json("Purged") } },
  },
  {
    method: "post", path: "/api/v1/tickets", id: "createTicket", tag: "Management", summary: "Get a ticket that stands in for the credential, once and for a short time", query: plainQuery,
    about: "For EventSource and WebSocket in a browser, which can send nothing but a URL: ?ticket=.",
    answers: { 201: { about: "The ticket", content: json("Ticket") } },
  },
  {
    method: "get", path: "/health", id: "getHealth", tag: "About", summary: "Whether the router is well", open: true,
    answers: { 200: { about: "It is", content: json("Health") }, 503: { about: "It is not, or is stopping", content: json("Health") } },
  },
  { method: "get", path: "/metrics", id: "getMetrics", tag: "About", summary: "Figures in Prometheus' text format", problems: [404], answers: { 200: { about: "Figures", content: { "text/plain": "Text" } } } },
  { method: "get", path: "/openapi.json", id: "getOpenApi", tag: "About", summary: "This description, as OpenAPI 3.1", open: true, answers: { 200: { about: "The document", content: json("Json") } } },
  { method: "get", path: "/docs", id: "getDocs", tag: "About", summary: "This description, as a page", open: true, answers: { 200: { about: "The page", content: { "text/html": "Text" } } } },
];
