/** Time as a client sees it. Injected, so that tests move it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `ms`; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

/** The clock for deadlines and waiting: set back, it goes on from where it was. What was to come in a second must not come an hour later. */
export function steady(clock: Clock): Clock {
  let lead = 0;
  let last = 0;
  return {
    now() {
      const now = clock.now();
      lead = Math.max(lead, last - now);
      return (last = now + lead);
    },
    after: (ms, callback) => clock.after(ms, callback),
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
