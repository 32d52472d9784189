import { hashTag, toRedisText } from "./redis-text.ts";

/** The keys of one namespace. All have its hash tag, so that they are on one node of a Redis Cluster and a script may touch them together. */
export interface RedisKeys {
  /** Hash: epoch, primary, head, first, offset, trimmed, time … */
  readonly meta: string;
  /** Stream of blocks; the id of a block is `seq-0` of its last event. */
  readonly log: string;
  /** Hash: what is remembered of each publisher instance's running numbers. */
  readonly marks: string;
  /** Hash: the seq of each id that came without a run. */
  readonly ids: string;
  /** Hash: the length of each event stream. */
  readonly streams: string;
  /** Hash. */
  readonly bookmarks: string;
  /** Stream of news that are no events: a trim, another epoch, what routers tell all others. */
  readonly control: string;
  /** Sorted set: the stores that have the log open, by when they last said so (ms, Redis' clock). */
  readonly present: string;
  /** Set: those of them that have nothing against the primary that the log is being taken over to. */
  readonly vouched: string;
  /** Set: those of them that have written again, into this life of the log, what they had of the one before. */
  readonly restored: string;
  /** List: the seqs of an event stream's events that are still there. */
  stream(name: string): string;
  /** Stream: what other routers say to one. */
  inbox(router: string): string;
}

export function redisKeys(prefix: string, namespace: string): RedisKeys {
  const at = (what: string): string => `${prefix}{${hashTag(namespace)}}:${what}`;
  return {
    meta: at("meta"), log: at("log"), marks: at("marks"), ids: at("ids"), streams: at("streams"), bookmarks: at("bookmarks"), control: at("control"), present: at("present"), vouched: at("vouched"), restored: at("restored"),
    stream: (name) => at(`stream:${toRedisText(name)}`), inbox: (router) => at(`inbox:${router}`),
  };
}
