import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AuthenticationError, ConflictError, ConnectionError, NoRespondersError, PermissionError, RemoteError, TimeoutError, ValidationError, type EventRouterError } from "../core/errors.ts";

const titles = {
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone",
  413: "Content Too Large", 415: "Unsupported Media Type", 421: "Misdirected Request", 426: "Upgrade Required", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
  503: "Service Unavailable", 504: "Gateway Timeout",
} as const satisfies Partial<Record<ContentfulStatusCode, string>>;

export type ProblemStatus = keyof typeof titles;

/** Codes that say more than the class of their error does. */
const statuses: Readonly<Record<string, ProblemStatus>> = {
  ERR_NOT_FOUND: 404, ERR_METHOD_NOT_ALLOWED: 405, ERR_CURSOR_EPOCH: 410, ERR_MEDIA_TYPE: 415, ERR_HOST: 421, ERR_UPGRADE: 426,
  ERR_BODY_TOO_LARGE: 413, ERR_PAYLOAD_TOO_LARGE: 413, ERR_BATCH_TOO_LARGE: 413, ERR_FRAME_TOO_LARGE: 413,
  ERR_RATE_LIMIT: 429, ERR_TOO_MANY_SUBSCRIPTIONS: 429, ERR_TOO_MANY_NAMESPACES: 429,
  ERR_BUSY: 503, ERR_STORE: 503, ERR_ROUTER_STOPPING: 503, ERR_CLOSED: 503, ERR_RESPONDER_LOST: 502,
};

function statusOf(error: EventRouterError): ProblemStatus {
  const status = statuses[error.code];
  if (status !== undefined) return status;
  if (error instanceof ValidationError) return 400;
  if (error instanceof AuthenticationError) return 401;
  if (error instanceof PermissionError) return 403;
  if (error instanceof NoRespondersError) return 404;
  if (error instanceof ConflictError) return 409;
  if (error instanceof RemoteError) return 502;
  if (error instanceof ConnectionError) return 503;
  return error instanceof TimeoutError ? 504 : 500;
}

/** What a refusal says (RFC 9457): `detail` is for people, `code` and the error's details for programs. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: ProblemStatus;
  readonly detail: string;
  readonly code: string;
  readonly [detail: string]: unknown;
}

export function problemOf(error: EventRouterError): Problem {
  const status = statusOf(error);
  const { retryAfter, ...details } = error.details;
  const standard = { type: "about:blank", title: titles[status], status, detail: error.message, code: error.code } as const;
  // First, and whatever an error's details are called.
  return { ...standard, ...details, ...(retryAfter !== undefined && { retry_after: retryAfter }), ...standard };
}

/** An error as a response. */
export function problem(c: Context, error: EventRouterError): Response {
  const status = statusOf(error);
  if (status === 401) c.header("WWW-Authenticate", "Bearer");
  if (status === 429 || status === 503) c.header("Retry-After", String(Math.max(1, Math.ceil(Number(error.details.retryAfter ?? 1_000) / 1_000))));
  return c.body(JSON.stringify(problemOf(error)), status, { "Content-Type": "application/problem+json" });
}
