import { EventRouterError } from "../core/errors.ts";
import type { MakeRedisClient, RedisClient } from "./redis-client.ts";
import { afterReply, isReply, redisTimeout, redisUnreachable } from "./redis-errors.ts";

/** What a connection reaches, as it was when the connection was made. */
export interface RedisServer {
  /** Of the connection, at the server. */
  readonly clientId: string;
  /** The replication id: another one is another server, or the same after a restart. */
  readonly primary: string;
  /** The id it had before it was promoted; "" if it was not. */
  readonly promotedFrom: string;
}

/** A command, made when it is known which server gets it. Throws what the caller is to get instead. */
export type MakeCommand = (server: RedisServer) => readonly string[];

export interface RedisConnectionOptions {
  readonly make: MakeRedisClient;
  /** For messages. */
  readonly address: string;
  /** Milliseconds that a command may wait for a connection, and then for its answer. */
  readonly timeout: number;
  /** A new connection is there. */
  connected?(server: RedisServer): void;
}

/** Between two attempts to connect, ms: at first, and at most. */
const SOON = 25;
const SELDOM = 1_000;
/** Before a command is sent again that the server could not do yet. */
const AGAIN = 50;

type State =
  | { readonly state: "down" }
  | { readonly state: "connecting"; readonly done: Promise<void> }
  | { readonly state: "up"; readonly client: RedisClient; readonly server: RedisServer };

/**
 * One connection to the primary, made again whenever it is wanted and not there. Commands are answered in the order in which they are sent. One that Redis
 * says it has not done (it loads its data, it is a replica now) is sent again until the time is over: a short failover is a delay and not a failure.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  #state: State = { state: "down" };
  #closed = false;
  #cause: unknown;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  /** The server it is connected to now. */
  get server(): RedisServer | undefined { return this.#state.state === "up" ? this.#state.server : undefined; }

  /**
   * @param options.again send it once more if the connection is lost before the answer: for commands that may be done twice
   * @param options.timeout in place of the connection's, for a command that waits
   */
  async send<T>(make: MakeCommand | readonly string[], { again = false, timeout = this.#options.timeout }: { again?: boolean; timeout?: number } = {}): Promise<T> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const up = await this.#up(deadline, timeout);
      const command = typeof make === "function" ? make(up.server) : make;
      try {
        return await this.#answered(up, command, Math.max(deadline - Date.now(), 1), timeout) as T;
      } catch (error) {
        if (error instanceof EventRouterError) throw error;
        const next = afterReply(error);
        // What is no reply is the end of the connection, whether that was told already or not.
        if (next === "elsewhere" || !isReply(error)) this.reset(up);
        const lost = !this.#isUp(up);
        if (lost) this.#cause = error;
        const over = this.#closed || Date.now() + AGAIN > deadline;
        // It was given up because of another command that was late, and this one is as late.
        if (over && lost && again && !this.#closed) throw redisTimeout(this.#options.address, timeout);
        if (over || (next === "never" && !(lost && again))) throw error;
        await sleep(AGAIN);
      }
    }
  }

  /** Gives the connection up: the next command makes another. Those that wait for an answer fail. */
  reset(up: State = this.#state): void {
    if (up.state !== "up") return;
    if (this.#isUp(up)) this.#state = { state: "down" };
    destroy(up.client);
  }

  close(): void {
    this.#closed = true;
    this.reset();
  }

  #isUp(up: State): boolean { return this.#state === up; }

  async #up(deadline: number, timeout: number): Promise<Extract<State, { state: "up" }>> {
    while (this.#state.state !== "up") {
      if (this.#closed) throw new EventRouterError("ERR_CLOSED", "the Redis store is closed; open a new one");
      if (this.#state.state === "down") this.#state = { state: "connecting", done: this.#connect() };
      const left = deadline - Date.now();
      if (left <= 0 || !(await within((this.#state as Extract<State, { state: "connecting" }>).done, left))) throw redisUnreachable(this.#options.address, timeout, this.#cause);
    }
    return this.#state;
  }

  /** Tries until there is a connection, or the store is closed. @throws if it is not let in */
  async #connect(): Promise<void> {
    for (let wait = SOON; !this.#closed; wait = Math.min(wait * 2, SELDOM)) {
      const client = this.#options.make();
      let up: State | undefined;
      const ended = (error?: unknown): void => {
        if (error !== undefined) this.#cause = error;
        if (up !== undefined) this.reset(up);
      };
      client.on("error", ended);
      client.on("end", () => ended());
      try {
        await client.connect();
        const server = await serverOf(client);
        if (this.#closed) return destroy(client);
        this.#state = up = { state: "up", client, server };
        this.#options.connected?.(server);
        return;
      } catch (error) {
        this.#cause = error;
        destroy(client);
        // A wrong password does not become right by waiting.
        if (/^(WRONGPASS|NOAUTH|NOPERM)/.test((error as Error).message)) {
          this.#state = { state: "down" };
          throw error;
        }
        await sleep(wait);
      }
    }
  }

  async #answered(up: Extract<State, { state: "up" }>, command: readonly string[], left: number, timeout: number): Promise<unknown> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let answered = false;
    const late = new Promise<never>((_, reject) => {
      // A process that stood still finds its timers run out before it has read what came meanwhile: one turn of the loop for that.
      timer = setTimeout(() => setImmediate(() => {
        if (answered) return;
        reject(redisTimeout(this.#options.address, timeout));
        // What is answered after it would be taken for the answer to something else if the connection stayed.
        this.reset(up);
      }), left);
    });
    try {
      return await Promise.race([up.client.sendCommand(command), late]);
    } finally {
      answered = true;
      clearTimeout(timer);
    }
  }
}

/** @throws if it is a replica, or does not answer yet. */
async function serverOf(client: RedisClient): Promise<RedisServer> {
  const [clientId, info] = (await Promise.all([client.sendCommand(["CLIENT", "ID"]), client.sendCommand(["INFO", "replication"])])) as [number, string];
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
  if (field("role") === "slave") throw new Error(`READONLY it is a replica of ${field("master_host")}:${field("master_port")}, not the primary`);
  const before = field("master_replid2");
  return { clientId: String(clientId), primary: field("master_replid"), promotedFrom: /^0*$/.test(before) ? "" : before };
}

/** Whether a promise resolved in time. @throws what it rejects with */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => { timer = setTimeout(() => resolve(false), ms); });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function destroy(client: RedisClient): void {
  try {
    client.destroy();
  } catch {
    // It never was open.
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });
