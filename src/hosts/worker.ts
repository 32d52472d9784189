import { asError, EventRouterError, ValidationError } from "../core/errors.ts";
import { problemOf } from "../http/problem.ts";
import type { ObjectNamespace } from "./durable-object.ts";
import { EventRouterObject } from "./event-router-object.ts";
import { relayName } from "./relays/object-name.ts";
import { relaysOf, type WorkerEnv, type WorkerOptions } from "./worker-options.ts";

export { EventRouterObject };
export type { WorkerEnv, WorkerOptions } from "./worker-options.ts";

/** What a worker's main module exports. */
export interface EventRouterWorker {
  fetch(request: Request, env: WorkerEnv): Promise<Response>;
  /** The class with these options: `export const EventRouterObject = worker.EventRouterObject`. */
  readonly EventRouterObject: typeof EventRouterObject;
}

/** Where the router answers; everything else are files. */
const ROUTER = /^\/(ws$|api\/|health$|metrics$|openapi\.json$|docs$)/;
const NAME = /^[\w.:@-]{1,128}$/;

/**
 * The worker in front of the objects: finds the one of the namespace that a request names, `?namespace=` (default `default`).
 * @example
 * const worker = createWorker({ limits: { payload: 64 * 1024 } });
 * export const EventRouterObject = worker.EventRouterObject;
 * export default worker;
 */
export function createWorker(options: WorkerOptions = {}): EventRouterWorker {
  const { binding = "EVENT_ROUTER" } = options;
  const worker: EventRouterWorker = {
    async fetch(request, env) {
      const url = new URL(request.url);
      try {
        const upgrade = request.headers.get("Upgrade")?.toLowerCase() === "websocket";
        if (!ROUTER.test(url.pathname) && !(upgrade && url.pathname === "/")) return await files(request, env, url.pathname);
        if (url.pathname === "/ws" && !upgrade) throw new EventRouterError("ERR_UPGRADE", "/ws is for WebSockets; HTTP is at /api/v1");
        const namespace = namespaceOf(url);
        const relay = upgrade ? relayOf(url, relaysOf(options, env)) : 0;
        return await objectOf(env, binding, relay === 0 ? namespace : relayName(namespace, relay)).fetch(request);
      } catch (thrown) {
        return answer(asError(thrown, (cause) => {
          console.error(cause);
          return new EventRouterError("ERR_UNAVAILABLE", "the namespace's object did not answer; try again", { cause, retryable: true });
        }));
      }
    },
    EventRouterObject: class extends EventRouterObject {
      static override readonly options = options;
    },
  };
  // Of a default export the platform looks at handlers only.
  return Object.defineProperty(worker, "EventRouterObject", { enumerable: false });
}

/** @throws ValidationError */
function namespaceOf({ searchParams }: URL): string {
  const namespace = searchParams.get("namespace") ?? "default";
  if (!NAME.test(namespace)) throw new ValidationError("ERR_NAME", "namespace must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ -", { details: { path: "namespace" } });
  return namespace;
}

/**
 * By which relay somebody comes in, 0: by none. At random, so that they are spread whatever their addresses or names have in common, and all anew when one is
 * gone. Who has work that only the owner can do anyway may ask for it with `?relay=0`.
 * @throws ValidationError
 */
function relayOf({ searchParams }: URL, relays: number): number {
  const wanted = searchParams.get("relay");
  if (wanted === null) return relays === 0 ? 0 : 1 + Math.floor(Math.random() * relays);
  const relay = /^\d{1,4}$/.test(wanted) ? Number(wanted) : Infinity;
  if (relay > relays) throw new ValidationError("ERR_RELAY", relays === 0 ? "relay must be 0 or left out: this worker has no relays" : `relay must be 0 (none) to ${relays}, or left out`, { details: { path: "relay" } });
  return relay;
}

/** @throws ValidationError */
function objectOf(env: WorkerEnv, binding: string, name: string): { fetch(request: Request): Promise<Response> } {
  const objects = env[binding] as ObjectNamespace | undefined;
  if (objects === undefined) throw new ValidationError("ERR_OPTION", `binding: the worker has no Durable Object binding ${binding}; add it to wrangler.toml`, { details: { path: "binding" } });
  return objects.get(objects.idFromName(name) as never);
}

/** The playground and its like, if the worker has assets. */
async function files(request: Request, env: WorkerEnv, path: string): Promise<Response> {
  const assets = env.ASSETS as { fetch(request: Request): Promise<Response> } | undefined;
  if (assets !== undefined) return assets.fetch(request);
  throw new EventRouterError("ERR_NOT_FOUND", `there is no ${path}; events are at /api/v1/events, their stream at /api/v1/events/stream, WebSockets at /ws`);
}

function answer(error: EventRouterError): Response {
  const problem = problemOf(error);
  return new Response(JSON.stringify(problem), { status: problem.status, headers: { "Content-Type": "application/problem+json" } });
}
