import * as z from "zod";
import { cloudEvent } from "../cloud-events/schema.ts";
import { cloudEventsBody, deadLetterChoice, eventBody, eventsBody, publishBody, purgeBody, requestBody } from "../schemas.ts";
import * as answers from "./answers.ts";
import { operations, type Content, type Operation, type SchemaName } from "./operations.ts";

type Json = Readonly<Record<string, unknown>>;

const schemas: Readonly<Record<SchemaName, z.ZodType>> = {
  EventInput: eventBody, EventInputs: eventsBody, PublishInput: publishBody, RequestInput: requestBody, CloudEvent: cloudEvent, CloudEvents: cloudEventsBody,
  Event: answers.event, EventPage: answers.eventPage, StreamPage: answers.streamPage, Receipt: answers.receipt, Receipts: answers.receipts, ReceiptOrReceipts: answers.receiptOrReceipts,
  Ticket: answers.ticket, DeadLetter: answers.deadLetter, DeadLetterPage: answers.deadLetterPage, DeadLetterChoice: deadLetterChoice, Retried: answers.retried, Discarded: answers.discarded,
  PurgeInput: purgeBody, Purged: answers.purged, Stats: answers.stats, Subscription: answers.subscription, Subscriptions: answers.subscriptions, Health: answers.health, Problem: answers.problem,
  Text: z.string(), Json: z.unknown(),
};

/** Refusals that every call has. */
const always = { 400: "Malformed; path names the field", 401: "No credential, or one that is not accepted", 403: "Not allowed", 429: "Too many; Retry-After says when to come again", 503: "Busy or stopping; Retry-After says when to come again" } as const;
const further: Readonly<Record<number, string>> = {
  404: "Not there", 409: "Something else is there already", 410: "The log that the cursor belongs to is gone", 413: "Too large", 415: "Not a media type that is taken", 502: "The responder failed", 504: "No answer in time",
};

/** The HTTP API as OpenAPI 3.1, made of the schemas that check what comes. @param version the product's */
export function openApiDocument(version: string): Json {
  return {
    openapi: "3.1.1",
    info: {
      title: "Event Router", version, license: { name: "MIT", identifier: "MIT" },
      description: "Publish, follow and read events, ask and answer over HTTP. Errors are problem documents (RFC 9457) with a stable code. Whatever is done here is checked as over a WebSocket.",
    },
    servers: [{ url: "/" }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ apiKey: [] }, { bearer: [] }, {}],
    paths: paths(),
    components: {
      schemas: components(),
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A JWT, or an API key where no other header can be sent" },
      },
    },
  };
}

function components(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(made).map(([id, schema]) => [id, bare(schema)]));
}

/** A schema within a document says neither where it is nor which draft it is of. */
function bare(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}

function paths(): Json {
  const made: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) (made[operation.path] ??= {})[operation.method] = operationObject(operation);
  return made;
}

function operationObject({ id, tag, summary, about, body, answers: given, problems = [], open, ...rest }: Operation): Json {
  const refusals = open ? [] : [...Object.entries(always), ...problems.map((status) => [String(status), further[status]!] as const)];
  return {
    operationId: id, tags: [tag], summary, ...(about !== undefined && { description: about }), ...(open && { security: [] }),
    parameters: parameters(rest),
    ...(body !== undefined && { requestBody: { required: true, content: content(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(given).map(([status, one]) => [status, { description: one.about, ...(one.content && { content: content(one.content) }) }])),
      ...Object.fromEntries(refusals.map(([status, description]) => [status, { description, content: content({ "application/problem+json": "Problem" }) }])),
    },
  };
}

function content(types: Content): Json {
  return Object.fromEntries(Object.entries(types).map(([type, name]) => [type, { schema: { $ref: `#/components/schemas/${name}` } }]));
}

function parameters({ pathParameters = {}, headers = {}, query }: Pick<Operation, "pathParameters" | "headers" | "query">): readonly Json[] {
  return [
    ...Object.entries(pathParameters).map(([name, { type, about }]) => ({ name, in: "path", required: true, description: about, schema: { type } })),
    ...Object.entries(query?.shape ?? {}).map(([name, schema]) => {
      const { description, ...shape } = bare(z.toJSONSchema(schema as z.ZodType));
      return { name, in: "query", ...(description !== undefined && { description }), schema: shape };
    }),
    ...Object.entries(headers).map(([name, description]) => ({ name, in: "header", description, schema: { type: "string" } })),
  ];
}
