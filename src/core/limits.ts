/** What a router accepts. All numbers can be set; the defaults are those of the guarantees. */
export interface Limits {
  /** Bytes of a message before the session is authenticated, and ms until it must be. */
  readonly helloSize: number;
  readonly helloTime: number;
  /** Bytes of a message. */
  readonly frame: number;
  /** Bytes of a payload's JSON. */
  readonly payload: number;
  /** Levels of nesting in a payload. */
  readonly depth: number;
  /** Events in one publish, and their bytes if they stand or fall together. */
  readonly batch: number;
  readonly batchSize: number;
  readonly subscriptions: number;
  /** Patterns in one subscription. */
  readonly topics: number;
  /** Conditions and operators in a filter. */
  readonly filterNodes: number;
  /** Un-acked events of a subscription, and the size of un-received ones of a subscription or session. */
  readonly windowEvents: number;
  readonly windowSize: number;
  /** Requests of one session that wait for an answer, and ms one may wait. */
  readonly requests: number;
  readonly requestTime: number;
  /** Headers of an event: how many, and characters in a value. */
  readonly headers: number;
  readonly headerValue: number;
}

export const defaultLimits: Limits = {
  helloSize: 8 * 1024,
  helloTime: 5_000,
  frame: 1024 * 1024,
  payload: 256 * 1024,
  depth: 32,
  batch: 500,
  batchSize: 1024 * 1024,
  subscriptions: 1_000,
  topics: 100,
  filterNodes: 32,
  windowEvents: 256,
  windowSize: 1024 * 1024,
  requests: 1_000,
  requestTime: 5 * 60_000,
  headers: 32,
  headerValue: 1_024,
};
