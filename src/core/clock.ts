/** Time as a client sees it. Injected, so that tests move it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `ms`; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

/**
 * A time that never goes back, for deadlines and stamps: when the clock is set back it goes on from where it was, at half its speed, until the clock has
 * come after. So what was to come in a second comes in two at the latest, and not an hour later.
 */
export function steady(now: () => number): () => number {
  let last = 0;
  let own = 0;
  return () => {
    const time = now();
    own = time >= own ? time : own + Math.max(0, time - last) / 2;
    last = time;
    return Math.ceil(own);
  };
}

/** A clock that tells such a time. */
export function steadyClock(clock: Clock): Clock {
  return { now: steady(() => clock.now()), after: (ms, callback) => clock.after(ms, callback) };
}

/**
 * How much time has passed since the first look, ms: forward only. What passed between two looks counts nothing when the clock was set back between them, so that a lease that
 * is measured by it is over a little late at the most by as much.
 */
export function stopwatch(now: () => number): () => number {
  let last = now();
  let passed = 0;
  return () => {
    const time = now();
    passed += Math.max(0, time - last);
    last = time;
    return passed;
  };
}

/** What a host gives a router: time, randomness and turns of its loop. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  now(): number;
  randomBytes(count: number): Uint8Array;
  /** Calls back when the present turn of the loop is over: what comes together goes out together. */
  defer(callback: () => void): void;
  /** The router wants `tick()` at this time or soon after; a later call replaces an earlier one, null calls it off. */
  wakeAt(time: number | null): void;
}
