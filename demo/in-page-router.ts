import { memoryStore, Router, type Surroundings } from "../src/router.ts";

const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

/** A whole router in this page, with its log in memory: what the playground talks to where there is no server. */
export function createInPageRouter(): Router {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  const surroundings: Surroundings = {
    now: () => Date.now(),
    randomBytes,
    // A turn of the loop, so that the page's own work is never held up by a long replay.
    defer(callback) {
      waiting.push(callback);
      port2.postMessage(0);
    },
    wakeAt(time) {
      clearTimeout(timer);
      if (time !== null) timer = setTimeout(() => surroundings.wakeAt(router.tick()), Math.min(Math.max(time - Date.now(), 0), 2 ** 31 - 1));
    },
  };
  const router = new Router({ store: memoryStore({ randomBytes }), surroundings, retention: { maxBytes: 64 * 1024 * 1024 }, onError: (error) => console.error(error) });
  return router;
}
