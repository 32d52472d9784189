import { EventRouterError } from "../core/errors.ts";
import type { RedisConnection, RedisServer } from "./redis-connection.ts";
import type { RedisKeys } from "./redis-keys.ts";
import type { Ask } from "./redis-reading.ts";
import { adoptScript, renewScript } from "./redis-adoption.ts";
import { lookScript, type RedisScript, type RedisScripts } from "./redis-scripts.ts";

/** Where a log stands: what was told of it, and the name of the last write of that. */
export interface RedisStanding {
  readonly head: number;
  readonly offset: number;
  readonly first: number;
  readonly trimmed: number;
  readonly mark: string;
  /** The last of the news that are no events. */
  readonly control: string;
}

export interface LogParts {
  readonly keys: RedisKeys;
  readonly namespace: string;
  readonly epoch: string;
  /** This process among those that have the log open. */
  readonly store: string;
  /** The primary that it was found on. */
  readonly primary: string;
  /** Redis has each write on its disk before it answers. */
  readonly synced: boolean;
  readonly scripts: RedisScripts;
  /** For what only reads. */
  readonly reader: RedisConnection;
  newEpoch(): string;
  /** It may be read from another server now. */
  moved(): void;
  /** It is over. */
  lost(): void;
}

/** A server that has not been asked yet whether it has all that was seen of the log. */
class Unverified extends Error {}

/** How often a command meets another server than it was made for before that is a failure. */
const MOST = 20;
/** While others are waited for that may know of a lost part, ms. */
const AGAIN = 100;

/**
 * Lets commands through only to the log that was opened: not to a later life of it, and not to a server that lacks what was seen of it. When the primary is
 * another one (a restart, a failover), what is there is compared with what was seen before anything else is done.
 */
export class RedisGuard {
  readonly #parts: LogParts;
  readonly #seen: () => RedisStanding;
  readonly #lost = Promise.withResolvers<EventRouterError>();
  #primary: string;
  #adopting: Promise<void> | undefined;
  #over: EventRouterError | undefined;

  constructor(parts: LogParts, seen: () => RedisStanding) {
    this.#parts = parts;
    this.#seen = seen;
    this.#primary = parts.primary;
  }

  /** Resolves when the log is over. */
  get lost(): Promise<EventRouterError> { return this.#lost.promise; }

  readonly mayUse = ({ primary }: RedisServer): boolean => primary === this.#primary && this.#over === undefined;

  /** Sends a command that only reads. */
  readonly ask: Ask = <T>(command: readonly string[]) => this.#through(() => this.#parts.reader.send<T>((server) => this.#verified(server, command), { again: true }), () => this.#parts.reader.reset());

  /** Runs a script that begins with the guard. It may be run twice, and must bear that. @param used is told the connection, the last one if it is run again */
  run<T extends readonly [string, ...unknown[]]>(script: RedisScript, keys: readonly string[], args: readonly string[], lead?: number, used: (server: RedisServer) => void = () => {}): Promise<T> {
    return this.#through(async () => {
      const reply = await this.#parts.scripts.run<T>(script, keys, (server) => (used(server), this.#verified(server, [this.#parts.epoch, server.primary, lead === undefined ? "" : String(lead), ...args])), { again: true });
      if (reply[0] === "epoch") this.lose();
      if (this.#over !== undefined) throw this.#over;
      if (reply[0] === "primary") throw new Unverified();
      return reply;
    }, () => {});
  }

  /** Whether Redis still has the log. @param name of who gives a sign of life; "" if that is not due */
  async look(name: string): Promise<void> {
    const { keys, scripts } = this.#parts;
    const epoch = await this.#through(() => scripts.run<string | null>(lookScript, [keys.meta, keys.present], (server) => this.#verified(server, [name]), { again: true }), () => {});
    if (epoch !== this.#parts.epoch) this.lose();
  }

  /** Redis has the log no more, or another in its place. */
  lose(): void {
    if (this.#over !== undefined) return;
    this.#over = new EventRouterError("ERR_EPOCH", `Redis has lost the log of namespace ${JSON.stringify(this.#parts.namespace)}, or a part of it; open it again: it has a new epoch`, { retryable: true, details: { epoch: this.#parts.epoch } });
    this.#parts.lost();
    this.#lost.resolve(this.#over);
  }

  /** What should be there is not: the log gets another epoch. */
  async renew(): Promise<never> {
    const { keys, scripts, epoch, newEpoch } = this.#parts;
    await scripts.run(renewScript, [keys.meta, keys.log, keys.control, keys.restored], () => [epoch, newEpoch()], { again: true });
    this.lose();
    throw this.#over!;
  }

  #verified(server: RedisServer, command: readonly string[]): readonly string[] {
    if (this.#over !== undefined) throw this.#over;
    if (server.primary !== this.#primary) throw new Unverified();
    return command;
  }

  async #through<T>(attempt: () => Promise<T>, elsewhere: () => void): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Unverified)) throw error;
        if (count === MOST) throw new EventRouterError("ERR_STORE", "the connections to Redis lead to different servers; see what they are told by (a proxy, DNS), and that it names one primary", { retryable: true });
        const before = this.#primary;
        await (this.#adopting ??= this.#adopt().finally(() => { this.#adopting = undefined; }));
        // The other connection is where this one should be.
        if (this.#primary === before) elsewhere();
      }
    }
  }

  /** Resolves when the log is taken over to the server that the scripts go to, or is over. */
  async #adopt(): Promise<void> {
    const { keys, store, scripts, epoch, synced, newEpoch, moved } = this.#parts;
    for (;;) {
      let primary = "";
      const [fate, wait] = await scripts.run<readonly ["ok" | "wait" | "epoch" | "lost", string]>(adoptScript, [keys.meta, keys.log, keys.control, keys.present, keys.vouched, keys.restored], (server) => {
        ({ primary } = server);
        const { head, mark } = this.#seen();
        return [epoch, primary, synced && server.promotedFrom === "" ? "1" : "", String(head), mark, newEpoch(), store];
      }, { again: true });
      if (fate === "epoch" || fate === "lost") return this.lose();
      if (fate === "ok") {
        this.#primary = primary;
        return moved();
      }
      await new Promise((resolve) => { setTimeout(resolve, Math.min(Number(wait), AGAIN)); });
    }
  }
}
