import type { Surroundings } from "./core/clock.ts";
import type { Link } from "./core/link.ts";
import { Router } from "./core/router.ts";
import type { RetentionPolicy } from "./core/retention.ts";
import type { Store } from "./core/store.ts";
import { inProcessLink } from "./links/in-process.ts";
import { memoryStore } from "./stores/memory.ts";

/** What the log of a router in memory keeps: enough to come back to, not so much that a tab or a test grows without end. */
const RETENTION = { maxBytes: 64 * 1024 * 1024 };

/** Where a realm keeps the router its memory clients share, also when two copies of this package are loaded in it. */
const key = Symbol.for("@gadugi/event-router/in-process");

/** A link to the router that all memory clients of this process share. */
export function inProcessRouterLink(): Link {
  const realm = globalThis as { [key]?: Router };
  return inProcessLink((realm[key] ??= createRouter()));
}

const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

/** A router for a page, a worker or a small program; by default in memory. */
export function createRouter(store: Store = memoryStore({ randomBytes }), retention: RetentionPolicy = RETENTION): Router {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const surroundings: Surroundings = {
    now: () => Date.now(),
    randomBytes,
    defer: nextTurn(),
    wakeAt(time) {
      clearTimeout(timer);
      if (time === null) return;
      timer = setTimeout(() => surroundings.wakeAt(router.tick()), Math.min(Math.max(time - Date.now(), 0), 60_000));
      // Nothing that is due may keep a process alive that has nothing else to do.
      (timer as { unref?: () => void }).unref?.();
    },
  };
  const router = new Router({ store, surroundings, retention, onError: (error) => console.error(error) });
  return router;
}

/** A turn of the loop, not a microtask: a long replay must let others in. A MessageChannel where there is no setImmediate: timers are clamped there. */
export function nextTurn(): (callback: () => void) => void {
  if (typeof setImmediate === "function") return (callback) => void setImmediate(callback);
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(0);
  };
}
