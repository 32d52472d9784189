import type { Link } from "./core/link.ts";
import type { Auth } from "./client/options.ts";
import type { WebSocketLinkOptions } from "./links/websocket.ts";
import type { RedisAddress } from "./stores/redis-client.ts";
import type { SharedWorkerLike } from "./tabs/worker-carrier.ts";

/** What is asked for, besides how to come back. */
interface Asked {
  readonly transport: string | undefined;
  readonly url: string | undefined;
  readonly connection: RedisAddress | undefined;
  readonly auth: Auth | undefined;
  readonly worker: (() => SharedWorkerLike) | undefined;
}

/** A link that is not simply a WebSocket: to a router of this process on Redis or in memory, with a certificate, or through the worker of this origin's tabs. */
export async function rareLink(settings: Omit<WebSocketLinkOptions, "url" | "backoff"> & { readonly url: string | undefined; readonly backoff: string }, { transport, url, connection, auth, worker }: Asked): Promise<Link> {
  const options = settings as typeof settings & Pick<WebSocketLinkOptions, "backoff">;
  if (transport === "redis") return (await import("./redis-link.ts")).redisLink({ ...(url !== undefined && { url }), ...connection }, options);
  if (auth?.type === "mtls") return (await import("./certificate-link.ts")).certificateLink(auth, options);
  if (transport === "shared-worker") return (await import("./shared-worker-link.ts")).sharedWorkerLink(options, worker);
  return (await import("./in-process-router.ts")).inProcessRouterLink();
}
