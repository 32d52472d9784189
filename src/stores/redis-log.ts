import { EventRouterError, PublishError } from "../core/errors.ts";
import type { LogEvent } from "../core/log-event.ts";
import { leadLost } from "../core/peers.ts";
import type { Batch, Log, Outcome } from "../core/store.ts";
import { RedisAdmission } from "./redis-admission.ts";
import { seqOf, RedisBlock } from "./redis-block.ts";
import type { RedisServer } from "./redis-connection.ts";
import { explainRedis } from "./redis-errors.ts";
import type { RedisSource } from "./redis-feed.ts";
import { RedisGuard, type LogParts, type RedisStanding } from "./redis-guard.ts";
import { RedisPeers } from "./redis-peers.ts";
import { blocksFrom, lastBefore, readLines, readPage, readStream } from "./redis-reading.ts";
import { appendScript, bookmarkScript } from "./redis-scripts.ts";
import { fromRedisText, toRedisText } from "./redis-text.ts";
import { trimRedis } from "./redis-trim.ts";
import { watchers } from "./watchers.ts";

export interface RedisLogOptions extends LogParts {
  /** As it was when the log was opened. */
  readonly standing: RedisStanding;
  /** This router among those of the log. */
  readonly self: string;
  /** What this store's writes are called. */
  writeName(): string;
  /** Resolves when what was written over this connection is as durable as it shall be. */
  confirm?: ((server: RedisServer) => Promise<void>) | undefined;
  /** These were appended: the outcomes are known, and nobody has been told yet. */
  appended(batches: readonly Batch[], outcomes: readonly Outcome[][]): void;
  onError?: ((error: unknown) => void) | undefined;
}

export interface RedisLog extends Log {
  readonly sources: readonly RedisSource[];
  /** Whether Redis still has it. */
  look(): Promise<void>;
  /** Appends what an earlier life of the log had. */
  restore(batches: readonly Batch[]): Promise<readonly Outcome[][]>;
  /** Tells the other routers that this one goes. */
  leave(): Promise<void>;
}

/** Events in one append, if more wait. */
const MOST = 4_096;

/** Between two looks whether new events may come, ms. */
const AGAIN = 50;

interface Waiting { readonly restores: boolean; readonly batches: readonly Batch[]; resolve(outcomes: readonly Outcome[][]): void; reject(error: unknown): void }

type AppendReply = readonly ["ok", head: string, offset: string, time: string] | readonly ["lead", token: string] | readonly ["wait", ms: string] | readonly ["stale", head: string, marks: readonly (string | null)[], ids: readonly (string | null)[], streams: readonly (string | null)[]];

export function redisLog(options: RedisLogOptions): RedisLog {
  const { keys, epoch, self, standing, writeName, confirm, appended, onError } = options;
  const listeners = watchers(onError);
  const waiting: Waiting[] = [];
  const admission = new RedisAdmission();
  let writing = false;
  /** What was told to the watchers here, and the name of the last write of it. The log itself may be further. */
  let at = standing;
  /** Where the log was when it was last heard of. */
  let head = standing.head;
  /** The write whose answer is waited for. */
  let pending: { readonly name: string; readonly done: Promise<unknown> } | undefined;
  let following: Promise<unknown> = Promise.resolve();
  let controlAt = standing.control;
  const guard = new RedisGuard(options, () => at);
  const peers = new RedisPeers({ self, store: options.store, keys, guard, connection: options.reader, noted: () => Promise.allSettled(notes) });

  async function doing<T>(Class: typeof PublishError | typeof EventRouterError, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainRedis(Class, what, error);
    }
  }
  const reading = <T>(what: string, work: () => Promise<T>): Promise<T> => doing(EventRouterError, what, work);

  /** What must be written before the lead is given back. */
  const notes = new Set<Promise<unknown>>();
  function noting(what: string, work: () => Promise<void>): Promise<void> {
    const note = reading(what, work);
    notes.add(note);
    note.catch(() => {}).finally(() => notes.delete(note));
    return note;
  }

  /** Group commit: what comes while one append is on its way goes into the next together. */
  async function write(): Promise<void> {
    writing = true;
    // What comes in the same turn belongs together.
    await Promise.resolve();
    while (waiting.length > 0) {
      let events = 0;
      let count = 0;
      const { restores } = waiting[0]!;
      while (count < waiting.length && waiting[count]!.restores === restores && (count === 0 || events < MOST)) for (const { drafts } of waiting[count++]!.batches) events += drafts.length;
      const group = waiting.splice(0, count);
      try {
        const outcomes = await doing(PublishError, "writing to the log", () => append(group.flatMap(({ batches }) => batches), restores));
        let next = 0;
        for (const { batches, resolve } of group) resolve(outcomes.slice(next, (next += batches.length)));
      } catch (error) {
        admission.doubt();
        // What waits was given by callers who count on the order of those before: it fails too.
        for (const { reject } of [...group, ...waiting.splice(0)]) reject(error);
      }
    }
    writing = false;
  }

  function submit(batches: readonly Batch[], restores: boolean): Promise<readonly Outcome[][]> {
    return new Promise((resolve, reject) => {
      waiting.push({ restores, batches, resolve, reject });
      if (!writing) void write();
    });
  }

  async function append(batches: readonly Batch[], restores: boolean): Promise<readonly Outcome[][]> {
    if (batches.every(({ drafts }) => drafts.length === 0)) return batches.map(() => []);
    const name = writeName();
    let used: RedisServer | undefined;
    for (;;) {
      const { streams, args, lead } = await admission.propose(batches, { head, first: at.first, read: (from, to) => readLines(guard.ask, keys, from, to) });
      const sent = guard.run<AppendReply>(appendScript, [keys.meta, keys.log, keys.marks, keys.ids, keys.streams, ...streams.map(keys.stream)], [name, restores ? "1" : "", ...args], lead, (server) => { used = server; });
      pending = { name, done: sent.catch(() => {}) };
      const reply = await sent;
      if (reply[0] === "stale") {
        head = Math.max(head, Number(reply[1]));
        admission.learn(reply[2], reply[3], reply[4]);
        continue;
      }
      if (reply[0] === "lead") {
        admission.led(Number(reply[1]));
        continue;
      }
      if (reply[0] === "wait") {
        await new Promise((resolve) => { setTimeout(resolve, Math.min(Number(reply[1]), AGAIN)); });
        continue;
      }
      const [, before, offset, time] = reply;
      const { outcomes, events } = admission.settle(Number(before), Number(time));
      head = Math.max(head, Number(before) + events.length);
      appended(batches, outcomes);
      await confirm?.(used!);
      await inTurn(() => tellOwn(events, Number(before), Number(offset), name));
      return outcomes;
    }
  }

  /** The watchers are told one thing after the other. */
  function inTurn(work: () => Promise<void> | void): Promise<void> {
    const next = following.then(work);
    following = next.catch(() => {});
    return next;
  }

  /** Tells what others wrote up to a seq, where the log has this size. */
  async function tellUpTo(seq: number, offset: number): Promise<void> {
    while (at.head < seq) {
      const blocks = (await blocksFrom(guard.ask, keys, at.head + 1, 16)).filter(({ first }) => first <= seq);
      for (const block of blocks) tellBlock(block);
      // Trimmed before it was seen here: readers find a gap where they stand.
      if (blocks.length === 0) at = { ...at, head: seq, offset, mark: "" };
    }
  }

  async function tellOwn(events: readonly LogEvent[], before: number, offset: number, mark: string): Promise<void> {
    await tellUpTo(before, offset);
    const news = events.filter(({ seq }) => seq > at.head);
    if (news.length === 0) return;
    at = { ...at, head: news.at(-1)!.seq, offset: news.reduce((sum, { size }) => sum + size, at.head === before ? offset : at.offset), mark };
    listeners.tell(news);
  }

  function tellBlock(block: RedisBlock): void {
    if (block.epoch !== epoch) return guard.lose();
    if (block.last <= at.head) return;
    const events = block.events(at.head + 1);
    at = { ...at, head: block.last, offset: block.offsetOf(block.last + 1), mark: block.mark };
    head = Math.max(head, block.last);
    listeners.tell(events);
  }

  function trimmedTo(first: number, trimmed: number): void {
    if (first <= at.first) return;
    at = { ...at, first, trimmed };
    // A trim may have taken what was not seen here.
    if (first - 1 > at.head) at = { ...at, head: first - 1, offset: Math.max(trimmed, at.offset), mark: "" };
    head = Math.max(head, at.head);
  }

  const sources: readonly RedisSource[] = [{
    key: keys.log,
    mayRead: guard.mayUse,
    position: () => `${at.head}-0`,
    async received(entries) {
      for (const entry of entries) {
        if (seqOf(entry[0]) <= at.head && entry[1][1] === epoch) continue;
        const block = new RedisBlock(entry);
        // Its own write: the answer is on its way, with events that need not be made again.
        if (block.mark === pending?.name) await pending.done;
        await inTurn(async () => {
          await tellUpTo(block.first - 1, block.offset);
          tellBlock(block);
        });
      }
    },
  }, {
    key: keys.control,
    mayRead: guard.mayUse,
    position: () => controlAt,
    async received(entries) {
      for (const entry of entries) {
        const [what, value, , more] = entry[1];
        controlAt = entry[0];
        if (what === "first") await inTurn(() => trimmedTo(Number(value), Number(more)));
        else if (what === "epoch" && value !== epoch) guard.lose();
        else peers.heard(entry);
      }
    },
  }];

  return {
    epoch,
    get head() { return at.head; },
    get first() { return at.first; },
    get extent() { return { events: at.head - at.first + 1, size: at.offset - at.trimmed }; },
    lost: guard.lost,
    peers,
    sources: [...sources, peers.inbox],
    look: () => guard.look(peers.dueSign()),
    leave: () => peers.leave(),

    append: (batches) => submit(batches, false),
    restore: (batches) => submit(batches, true),

    read: (after, limit) => reading("reading the log", async () => {
      if (after >= at.head) return [];
      const page = await readPage(guard.ask, keys, after + 1, at, limit);
      if (page[0]?.seq === Math.max(after + 1, at.first) && isWhole(page)) return page;
      // Trimmed by another router, which has not been heard of yet.
      const [first, trimmed] = await guard.ask<readonly [string, string]>(["HMGET", keys.meta, "first", "trimmed"]);
      await inTurn(() => trimmedTo(Number(first), Number(trimmed)));
      const next = Math.max(after + 1, at.first);
      const rest = page.filter(({ seq }) => seq >= next);
      if (next <= at.head && (rest[0] === undefined ? page.length === 0 : rest[0].seq !== next || !isWhole(rest))) await guard.renew();
      // All that was read is trimmed by now: on from where the log begins.
      return rest.length > 0 || next > at.head ? rest : readPage(guard.ask, keys, next, at, limit);
    }),

    readStream: (stream, from, limit, direction) => reading("reading an event stream", () => readStream(guard.ask, keys, at, stream, from, limit, direction)),
    seqBefore: (time) => reading("searching the log", () => lastBefore(guard.ask, keys, time, at)),
    watch: listeners.add,

    trim: (seq, lead) => noting("trimming the log", async () => {
      const now = await trimRedis(guard, keys, at, Math.min(seq, at.head) + 1, lead);
      await inTurn(() => trimmedTo(now.first, now.trimmed));
    }),

    readBookmark: (key) => reading("reading a bookmark", async () => {
      const value = await guard.ask<string | null>(["HGET", keys.bookmarks, toRedisText(key)]);
      return value === null ? undefined : fromRedisText(value);
    }),

    listBookmarks: (prefix) => reading("reading bookmarks", async () => {
      const flat = await guard.ask<readonly string[]>(["HGETALL", keys.bookmarks]);
      const list: (readonly [string, string])[] = [];
      for (let i = 0; i < flat.length; i += 2) {
        const key = fromRedisText(flat[i]!);
        if (key.startsWith(prefix)) list.push([key, fromRedisText(flat[i + 1]!)]);
      }
      return list;
    }),

    writeBookmarks: (entries, lead) => noting("writing bookmarks", async () => {
      if (entries.length === 0) return;
      const [fate] = await guard.run(bookmarkScript, [keys.meta, keys.bookmarks], entries.flatMap(([key, value]) => [toRedisText(key), value === undefined ? "0" : "1", value === undefined ? "" : toRedisText(value)]), lead);
      if (fate === "lead") throw leadLost();
    }),
  };
}

/** Without holes. */
function isWhole(page: readonly LogEvent[]): boolean {
  return page.length === 0 || page.at(-1)!.seq - page[0]!.seq === page.length - 1;
}
