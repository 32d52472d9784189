import type { Link } from "./core/link.ts";
import type { Auth } from "./client/options.ts";
import { lazyLink } from "./lazy-link.ts";
import type { WebSocketLinkOptions } from "./links/websocket.ts";
import type { RedisAddress } from "./stores/redis-client.ts";
import type { SharedWorkerLike } from "./tabs/worker-carrier.ts";

/** What is asked for, besides how to come back. */
interface Asked {
  readonly transport?: string;
  readonly url?: string;
  readonly connection?: RedisAddress;
  readonly auth?: Auth;
  readonly worker?: () => SharedWorkerLike;
}

/** A WebSocket's, but there may be no URL. */
export type RareLinkOptions = Omit<WebSocketLinkOptions, "url"> & { readonly url: string | undefined };

/** A link that is not simply a WebSocket: to a router of this process on Redis or in memory, with a certificate, or through the worker of this origin's tabs. */
export function rareLink(settings: RareLinkOptions, asked: Asked): Link {
  return lazyLink(() => load(settings, asked), settings);
}

async function load(settings: RareLinkOptions, { transport, url, connection, auth, worker }: Asked): Promise<Link> {
  if (transport === "redis") return (await import("./redis-link.ts")).redisLink({ ...(url !== undefined && { url }), ...connection }, settings);
  if (auth?.type === "mtls") return (await import("./certificate-link.ts")).certificateLink(auth, settings);
  if (transport === "shared-worker") return (await import("./shared-worker-link.ts")).sharedWorkerLink(settings, worker);
  return (await import("./in-process-router.ts")).inProcessRouterLink();
}
