import type { Clock, Surroundings } from "../core/clock.ts";

/** The longest that a timer waits, ms: the clock may be set forward meanwhile, and a much longer one would fire at once. */
const LONGEST = 60_000;

export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** What a server gives its router, on Node, Deno and Bun. `tick` is the router's; it is called when a time that was asked for has come. */
export function serverSurroundings(tick: () => number | null): Surroundings {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wakeAt = (time: number | null): void => {
    clearTimeout(timer);
    if (time === null) return;
    timer = setTimeout(() => wakeAt(tick()), Math.min(Math.max(time - Date.now(), 0), LONGEST));
    // What keeps the process alive is the listening server, not what its router plans.
    timer.unref();
  };
  return {
    now: Date.now,
    randomBytes,
    // After the poll phase and not in a microtask, which would run between two sockets that are ready together: so all that was read in one turn of the
    // loop is committed in one transaction and leaves in one write per session.
    defer: (callback) => void setImmediate(callback),
    wakeAt,
  };
}

/** Time for what serves HTTP. Its timers keep no process alive. */
export const serverClock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
