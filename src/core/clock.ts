/** Time as a client sees it. Injected, so that tests move it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after `ms`; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
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
