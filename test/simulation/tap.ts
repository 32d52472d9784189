import type { EventLine } from "../../src/core/line.ts";
import type { Hello, RouterFrame, SubscribeSpec } from "../../src/core/frames.ts";

interface Account {
  readonly group: boolean;
  on: boolean;
  high: number;
  /** Finished up to here, maybe on an earlier connection: it takes no credit, though it may be sent again. */
  done: number;
  inFlight: { readonly seq: number; readonly size: number }[];
}

export interface TapOptions {
  readonly windowEvents: number;
  readonly windowSize: number;
  mayRead(type: string): boolean;
  /** Tokens that this router has given in a namespace, on all its connections. */
  tokensOf(namespace: string): Set<number>;
  /** A rule of the protocol that was not kept. */
  violated(what: string): void;
}

/** Looks at all that a router says and hears on one connection, as the router's own books must have it: order, credit, nothing unasked. */
export class Tap {
  readonly #options: TapOptions;
  readonly #name: string;
  readonly #accounts = new Map<number, Account>();
  #tokens = new Set<number>();
  #said = 0;
  #received = 0;

  constructor(name: string, options: TapOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** The router says this. */
  told(text: string): void {
    if (text === "pong" || text === "ping") return;
    this.#said += text.length;
    for (const line of text.split("\n")) this.#frame(JSON.parse(line) as RouterFrame);
    const { windowSize } = this.#options;
    // What is not under credit may go beyond the window, but not by more than the router's own bound, and its last words.
    if (this.#said - this.#received > 9 * windowSize + text.length + 4_096) this.#wrong(`I14 ${this.#said - this.#received} units are on their way, the window has ${windowSize}`);
  }

  /** The router hears this. */
  heard(text: string): void {
    if (text.startsWith('["hello"')) this.#tokens = this.#options.tokensOf((JSON.parse(text) as ["hello", Hello])[1].namespace!);
    if (!text.includes('["ack"') && !text.includes('["sub"')) return;
    for (const line of text.split("\n")) {
      if (line.startsWith('["ack",')) this.#ack(JSON.parse(line) as ["ack", number, ...number[]]);
      else if (line.startsWith('["sub",')) {
        const [, id, { group }] = JSON.parse(line) as ["sub", number, SubscribeSpec];
        if (!this.#accounts.has(id)) this.#accounts.set(id, { group: group !== undefined, on: false, high: 0, done: 0, inFlight: [] });
      }
    }
  }

  #frame(frame: RouterFrame): void {
    switch (frame[0]) {
      case "on": {
        const account = this.#accounts.get(frame[1]);
        if (account !== undefined) [account.on, account.high] = [true, frame[3]];
        return;
      }
      case "job": {
        const tokens = this.#tokens;
        const [, sub, token, attempt, event] = frame;
        if (tokens.has(token)) this.#wrong(`I10 token ${token} is given again, to subscription ${sub}, attempt ${attempt}`);
        tokens.add(token);
        if (!this.#options.mayRead(event[4])) this.#wrong(`I15 a job with a ${event[4]} leaves, which this client may not read`);
        return;
      }
      case "end": return void this.#accounts.delete(frame[1]);
      case "ev": for (const event of frame[2]) for (const id of frame[1]) this.#event(id, event); return;
      case "mix": return frame[2].forEach((event, i) => { for (const id of frame[1][i]!) this.#event(id, event); });
      case "gap": {
        const account = this.#accounts.get(frame[1]);
        const { from, to, reason } = frame[2];
        if (reason === "retention" && account?.group === false && to !== null) {
          if (to < from || from <= account.high) this.#wrong(`I6 subscription ${frame[1]} is told of a gap ${from}–${to} behind ${account.high}`);
          account.high = to;
        }
      }
    }
  }

  #event(id: number, event: EventLine): void {
    const account = this.#accounts.get(id);
    if (account?.on !== true) return this.#wrong(`I2 an event for subscription ${id}, which is not there`);
    const [seq, , , , type] = event;
    if (!this.#options.mayRead(type)) this.#wrong(`I15 a ${type} leaves, which this client may not read`);
    if (seq === 0) return;
    if (seq <= account.high) this.#wrong(`I5 subscription ${id} is sent seq ${seq} behind ${account.high}`);
    account.high = seq;
    if (seq <= account.done) return;
    account.inFlight.push({ seq, size: JSON.stringify(event).length });
    const { windowEvents, windowSize } = this.#options;
    const size = account.inFlight.reduce((sum, one) => sum + one.size, 0);
    if (account.inFlight.length > windowEvents || (size > windowSize && account.inFlight.length > 1)) this.#wrong(`I14 subscription ${id} has ${account.inFlight.length} events of ${size} units in flight; its window has ${windowEvents} and ${windowSize}`);
  }

  #ack([, received, ...done]: readonly [string, number, ...number[]]): void {
    if (received <= this.#said) this.#received = Math.max(this.#received, received);
    for (let i = 0; i < done.length; i += 2) {
      const account = this.#accounts.get(done[i]!);
      if (account === undefined) continue;
      account.done = Math.max(account.done, done[i + 1]!);
      account.inFlight = account.inFlight.filter(({ seq }) => seq > account.done);
    }
  }

  #wrong(what: string): void {
    this.#options.violated(`${what} (${this.#name})`);
  }
}
