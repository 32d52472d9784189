import { PatternClient } from "../../src/pattern-client.ts";
import type { BaseOptions } from "../../src/client/options.ts";
import { ConnectionError } from "../../src/core/errors.ts";
import type { RouterFrame, Welcome } from "../../src/core/frames.ts";
import type { EventLine, LineMeta } from "../../src/core/line.ts";
import { defaultLimits } from "../../src/core/limits.ts";
import type { Link, LinkListener } from "../../src/core/link.ts";
import { settle, TestClock } from "../support/test-clock.ts";

// What a client loads when it is first used would take more than a turn.
await Promise.all([
  import("../../src/client/batches.ts"), import("../../src/client/engine.ts"), import("../../src/client/jobs.ts"), import("../../src/client/publishing.ts"), import("../../src/client/requests.ts"),
  import("../../src/client/responders.ts"), import("../../src/client/spread.ts"), import("../../src/client/subscribe-options.ts"), import("../../src/client/too-large.ts"), import("../../src/client/transaction.ts"),
]);

/** A frame as the client sent it, with the lines that belong to it. */
export interface SentFrame { readonly name: string; readonly args: readonly unknown[]; readonly lines: readonly unknown[][] }

export const lost = (): ConnectionError => new ConnectionError("ERR_CONNECTION_LOST", "cut by the test", { retryable: true });

/** A router that says what the test tells it to, over links that the test opens and cuts. Speaks nothing but frames. */
export class ScriptedRouter {
  readonly clock = new TestClock();
  /** Whether a hello is answered with a welcome at once. */
  welcomes = true;
  welcome: Welcome = {
    v: 1, caps: [], session: "s", namespace: "default", epoch: "e1", head: 0, durability: "disk", heartbeat: 0,
    limits: { frame: defaultLimits.frame, payload: defaultLimits.payload, batch: 500, windowEvents: 256, windowSize: 1024 * 1024 },
  };
  /** Messages since the last `take`. */
  messages: string[] = [];
  readonly restarts: number[] = [];
  links = 0;
  closed = 0;
  opensAtOnce = true;
  #on: LinkListener | undefined;
  #open = false;

  readonly makeLink = (): Link => {
    this.links++;
    return {
      start: (on) => {
        this.#on = on;
        if (this.opensAtOnce) queueMicrotask(() => this.open());
      },
      send: (message) => { if (this.#open) this.#receive(message); },
      restart: (delay = 0) => {
        this.restarts.push(delay);
        if (this.#open) this.cut();
        if (this.opensAtOnce) queueMicrotask(() => this.open());
      },
      close: () => {
        this.closed++;
        this.#open = false;
        this.#on = undefined;
      },
    };
  };

  client(options: BaseOptions = {}): PatternClient {
    return new PatternClient({ makeLink: this.makeLink, clock: this.clock, random: () => 0.5, randomBytes: (count) => new Uint8Array(count).map((_, i) => i * 7 + this.links) }, options);
  }

  open(): void {
    this.#open = true;
    this.#on?.open();
  }

  /** The pipe is gone; the client does not know what has arrived. */
  cut(final = false): void {
    this.#open = false;
    this.#on?.down(lost(), final);
  }

  /** Cuts and opens again. */
  async bounce(): Promise<void> {
    this.cut();
    this.open();
    await settle();
  }

  /** Sends frames as one message. */
  say(...frames: RouterFrame[]): void {
    this.raw(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  raw(message: string): void {
    this.#on?.message(message);
  }

  /** What the client has sent since the last time, once the turn is over. */
  async take(...names: string[]): Promise<SentFrame[]> {
    await settle();
    const frames = this.messages.splice(0).flatMap(parse);
    return names.length === 0 ? frames : frames.filter(({ name }) => names.includes(name));
  }

  /** Answers `pub` frames: each event gets the next seq. */
  acknowledge(frames: readonly SentFrame[], firstSeq: number): void {
    for (const { name, args, lines } of frames) if (name === "pub") this.say(["pub", args[0] as number, this.clock.now(), lines.map(() => firstSeq++)]);
  }

  /** Events in one `ev` frame. */
  deliver(subs: readonly number[], ...seqs: number[]): void {
    this.say(["ev", subs, seqs.map((seq) => line(seq))]);
  }

  #receive(message: string): void {
    this.messages.push(message);
    if (this.welcomes && message.startsWith('["hello"')) queueMicrotask(() => this.say(["welcome", this.welcome]));
  }
}

export function line(seq: number, type = "n", payload: unknown = seq, meta?: LineMeta): EventLine {
  return meta === undefined ? [seq, Date.UTC(2026, 0, 1), 0, `id${seq}`, type, payload] : [seq, Date.UTC(2026, 0, 1), 0, `id${seq}`, type, payload, meta];
}

function parse(message: string): SentFrame[] {
  if (message === "ping" || message === "pong") return [{ name: message, args: [], lines: [] }];
  const frames: SentFrame[] = [];
  const lines = message.split("\n").map((text) => JSON.parse(text) as unknown[]);
  for (let i = 0; i < lines.length; i++) {
    const [name, ...args] = lines[i] as [string, ...unknown[]];
    const count = name === "pub" ? (args[1] as number) : name === "req" || name === "answer" ? 1 : 0;
    frames.push({ name, args, lines: lines.slice(i + 1, i + 1 + count) });
    i += count;
  }
  return frames;
}

/** Ids and payloads of the events in `pub` frames, in order. */
export const idsIn = (frames: readonly SentFrame[]): string[] => frames.filter(({ name }) => name === "pub").flatMap(({ lines }) => lines.map(([id]) => id as string));
export const payloadsIn = (frames: readonly SentFrame[]): unknown[] => frames.filter(({ name }) => name === "pub").flatMap(({ lines }) => lines.map((one) => one[2]));
