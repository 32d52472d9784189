import { ALL, type Lead, type Peers, type PeersListener } from "../core/peers.ts";
import type { RedisEntry } from "./redis-block.ts";
import type { RedisConnection } from "./redis-connection.ts";
import type { RedisSource } from "./redis-feed.ts";
import type { RedisGuard } from "./redis-guard.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { claimScript, releaseScript } from "./redis-lead.ts";
import { fromRedisText, toRedisText } from "./redis-text.ts";

export interface RedisPeersOptions {
  readonly self: string;
  /** This process among those that have the log open. */
  readonly store: string;
  readonly keys: RedisKeys;
  readonly guard: RedisGuard;
  readonly connection: RedisConnection;
  /** Resolves when the bookmarks and trims that were asked for so far are written, or have failed. */
  noted(): Promise<unknown>;
}

/** Messages that wait in one inbox at most, and in the stream that all read; how long an inbox outlives its last message, ms. */
const MOST = "1024";
const MOST_FOR_ALL = "256";
const INBOX_LIFE = "60000";
/** UTF-16 units that may wait here to be sent, and that go in one command. */
const FULL = 16 * 1024 * 1024;
const TOGETHER = 1024 * 1024;
/** Between two signs of life, ms. */
const SIGN = 4_000;

/** The other routers of a log, by streams: an inbox for each, and the log's news for what goes to all. */
export class RedisPeers implements Peers {
  readonly self: string;
  readonly beat = 1_000;
  /** What others say to this router. */
  readonly inbox: RedisSource;
  readonly #options: RedisPeersOptions;
  #listener: PeersListener | undefined;
  #waiting: { readonly to: string; readonly text: string }[] = [];
  #size = 0;
  #sending: Promise<void> | undefined;
  #signed = 0;

  constructor(options: RedisPeersOptions) {
    this.#options = options;
    this.self = options.self;
    let position = "0-0";
    const key = options.keys.inbox(this.self);
    this.inbox = {
      key,
      mayRead: options.guard.mayUse,
      position: () => position,
      received: async (entries) => {
        for (const entry of entries) {
          position = entry[0];
          this.#deliver(entry);
        }
        const [ms, number] = position.split("-");
        // Room for what comes next; if it fails, it is done with the next.
        options.connection.send(["XTRIM", key, "MINID", `${ms}-${Number(number) + 1}`]).catch(() => {});
      },
    };
  }

  async claim(ms: number): Promise<Lead> {
    const { guard, keys } = this.#options;
    const [, leader, token, left, head] = await guard.run<readonly [string, string, string, string, string]>(claimScript, [keys.meta], [this.self, String(ms)]);
    return { leader, token: Number(token), ms: Number(left), head: Number(head) };
  }

  async release(token: number): Promise<void> {
    const { guard, keys, noted } = this.#options;
    await noted();
    await guard.run(releaseScript, [keys.meta], [this.self, String(token)]);
  }

  send(to: string, text: string): void {
    if (this.#size + text.length > FULL) return this.#lost(to);
    this.#waiting.push({ to, text });
    this.#size += text.length;
    this.#sending ??= this.#send();
  }

  listen(on: PeersListener): () => void {
    this.#listener = on;
    return () => { if (this.#listener === on) this.#listener = undefined; };
  }

  /** An entry of the log's news: `to-all, from, m, text, m, text …`, or `gone, from`. */
  heard(entry: RedisEntry): void {
    const [what, from] = entry[1];
    if (from === this.self) return;
    if (what === "to-all") this.#deliver(entry);
    else if (what === "gone") this.#listener?.gone(from!);
  }

  /** The process' name, if it should give a sign of life. */
  dueSign(): string {
    const now = Date.now();
    if (now - this.#signed < SIGN) return "";
    this.#signed = now;
    return this.#options.store;
  }

  /** The others need not find out by themselves. */
  async leave(): Promise<void> {
    const { keys, connection, store } = this.#options;
    await this.#sending;
    if (connection.server === undefined) return;
    const last = { timeout: 500 };
    await Promise.allSettled([
      connection.send(["XADD", keys.control, "MAXLEN", "~", MOST_FOR_ALL, "*", "gone", this.self], last),
      connection.send(["ZREM", keys.present, store], last),
      connection.send(["DEL", keys.inbox(this.self)], last),
    ]);
  }

  /** One command after the other keeps the order; what comes meanwhile goes together. */
  async #send(): Promise<void> {
    // What is said in the same turn belongs together.
    await Promise.resolve();
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { to } = next;
      const texts: string[] = [];
      let size = 0;
      for (const one of this.#waiting) {
        if (one.to !== to || (texts.length > 0 && size + one.text.length > TOGETHER)) break;
        texts.push(one.text);
        size += one.text.length;
      }
      this.#waiting.splice(0, texts.length);
      try {
        await this.#deliverTo(to, texts);
      } catch {
        // Whether it came is unknown, and whoever links to it must know that.
        this.#lost(to);
      }
      this.#size -= size;
    }
    this.#sending = undefined;
  }

  async #deliverTo(to: string, texts: readonly string[]): Promise<void> {
    const { keys, connection } = this.#options;
    const messages = texts.flatMap((text) => ["m", toRedisText(text)]);
    if (to === ALL) {
      await connection.send(["XADD", keys.control, "MAXLEN", "~", MOST_FOR_ALL, "*", "to-all", this.self, ...messages]);
    } else {
      const key = keys.inbox(to);
      await Promise.all([
        connection.send(["XADD", key, "MAXLEN", "~", MOST, "*", "f", this.self, ...messages]),
        connection.send(["PEXPIRE", key, INBOX_LIFE]),
      ]);
    }
  }

  #deliver([, fields]: RedisEntry): void {
    const from = fields[1]!;
    for (let i = 3; i < fields.length; i += 2) this.#listener?.message(from, fromRedisText(fields[i]!));
  }

  #lost(to: string): void {
    if (to !== ALL) queueMicrotask(() => this.#listener?.gone(to));
  }
}
