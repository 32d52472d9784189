import { AuthenticationError, ConnectionError, PermissionError, ValidationError } from "../index.ts";
import type { RouterAccess } from "./router-access.ts";

export interface AskOptions {
  readonly signal: AbortSignal;
  /** In the query, besides the namespace. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON with POST. */
  readonly body?: unknown;
  /** Statuses whose body is an answer; default: those of success. */
  readonly accept?: readonly number[];
}

/**
 * Asks a router over HTTP.
 * @throws what its problem document says, as the class of its status; ConnectionError `ERR_UNREACHABLE`, or `ERR_NOT_A_ROUTER` for what answers but is none.
 */
export async function ask<T>(router: RouterAccess, path: string, { signal, query = {}, body, accept }: AskOptions): Promise<T> {
  const url = router.http(path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  const post = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(url, { ...post, headers: { ...router.headers, ...(body !== undefined && { "content-type": "application/json" }) }, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new ConnectionError("ERR_UNREACHABLE", `${url.origin} does not answer; is the router running there?`, { retryable: true, cause });
  });
  const answer = (await response.json().catch(() => undefined)) as (T & Problem) | undefined;
  if (answer !== undefined && (accept?.includes(response.status) ?? response.ok)) return answer;
  const said = answer?.detail ?? answer?.title ?? `it answered ${response.status} to ${body === undefined ? "GET" : "POST"} ${url.pathname}`;
  if (answer?.code === undefined) throw new ConnectionError("ERR_NOT_A_ROUTER", `${url.origin} is there, but no event router: ${said}`);
  throw refusal(response.status, answer.code, said);
}

interface Problem { readonly code?: string; readonly detail?: string; readonly title?: string }

function refusal(status: number, code: string, message: string): Error {
  if (status === 400) return new ValidationError(code, message);
  if (status === 401) return new AuthenticationError(code, message);
  if (status === 403) return new PermissionError(code, message);
  return new ConnectionError(code, message);
}
