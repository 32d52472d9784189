import { asError, ConnectionError, type EventRouterError } from "./core/errors.ts";
import type { Link } from "./core/link.ts";
import type { Router } from "./core/router.ts";
import { createRouter } from "./in-process-router.ts";
import { inProcessLink } from "./links/in-process.ts";
import { redisStore, type RedisAddress } from "./stores/redis.ts";

/** How to come back, as of any link. */
export interface ComeBack {
  readonly enabled: boolean;
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "fixed";
  readonly minDelay: number;
  readonly maxDelay: number;
}

/** A router of this process on one Redis, shared by the clients that name it alike. */
interface Home { users: number; readonly opening: Promise<{ readonly router: Router; close(): Promise<void> }> }

/** Where a realm keeps them, also when two copies of this package are loaded in it. */
const key = Symbol.for("@gadugi/event-router/redis");

function homes(): Map<string, Home> {
  const realm = globalThis as { [key]?: Map<string, Home> };
  return (realm[key] ??= new Map());
}

/** A link to a router in this process that has its log in Redis: one of any number that share it, with no server between. */
export function redisLink(address: RedisAddress, comeBack: ComeBack): Link {
  const name = JSON.stringify(address);
  let home: Home | undefined;
  let inner: Link | undefined;
  let closed = false;

  async function open(on: Parameters<Link["start"]>[0]): Promise<void> {
    for (let attempt = 1; !closed; attempt++) {
      home = enter(name, address);
      try {
        const { router } = await home.opening;
        if (closed) break;
        (inner = inProcessLink(router)).start(on);
        return;
      } catch (error) {
        leave(name, home);
        home = undefined;
        const final = !comeBack.enabled || attempt > comeBack.maxAttempts || (error as EventRouterError).retryable !== true;
        if (closed) return;
        on.down(asConnectionError(error), final);
        if (final) return;
        await new Promise((resolve) => { setTimeout(resolve, delayOf(attempt, comeBack)); });
      }
    }
    if (home !== undefined) leave(name, home);
  }

  return {
    start: (on) => void open(on),
    send: (message) => inner?.send(message),
    restart: (delay) => inner?.restart(delay),
    close() {
      closed = true;
      inner?.close();
      // What was sent before is still carried out.
      if (inner !== undefined && home !== undefined) leave(name, home);
    },
  };
}

function enter(name: string, address: RedisAddress): Home {
  let home = homes().get(name);
  if (home === undefined) homes().set(name, (home = { users: 0, opening: openHome(address) }));
  home.users++;
  return home;
}

/** The last one closes it. */
function leave(name: string, home: Home): void {
  if (--home.users > 0) return;
  if (homes().get(name) === home) homes().delete(name);
  home.opening.then(({ close }) => close()).catch(() => {});
}

async function openHome(address: RedisAddress): Promise<Awaited<Home["opening"]>> {
  const store = await redisStore(address, { onError: (error) => console.error(error) });
  // What the log keeps is for the servers to say that share it.
  const router = createRouter(store, {});
  return {
    router,
    async close() {
      await router.close();
      await store.close();
    },
  };
}

function asConnectionError(thrown: unknown): ConnectionError {
  const error = asError(thrown, (cause) => new ConnectionError("ERR_TRANSPORT", "the router on Redis could not be started", { cause }));
  return error instanceof ConnectionError ? error : new ConnectionError(error.code, error.message, { retryable: error.retryable, cause: error });
}

function delayOf(attempt: number, { backoff, minDelay, maxDelay }: ComeBack): number {
  return backoff === "fixed" ? minDelay : Math.random() * Math.min(minDelay * 2 ** attempt, maxDelay);
}
