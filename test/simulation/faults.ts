import { RELEASES } from "./releases.ts";

/** What goes wrong where a step of the protocol or of a store is reached. */
export interface Fault {
  /** `up:pub`, `down:welcome`, `store:append`, `sql:COMMIT` … */
  readonly at: string;
  readonly verdict: Verdict;
  /** So many times the step passes unharmed first. */
  readonly skip: number;
  /** How long it lasts, or how late it is. */
  readonly ms: number;
  /** It comes behind the step, not before it. */
  readonly behind: boolean;
}

export type LinkVerdict =
  /** The message is lost and the connection breaks. */
  | "lose"
  /** The message arrives and the connection breaks. */
  | "cut"
  /** The message and all others after it, both ways, vanish, and nobody is told. */
  | "silence"
  /** The message and those behind it stay on the way until another connection of this client is at work; then they arrive. */
  | "hold"
  | "delay"
  | "duplicate";
export type ProcessVerdict = "pause router" | "pause client" | "kill router" | "kill client" | "stop router" | "clock router" | "clock client";
export type HubVerdict = "kill hub" | "close hub";
export type PeerVerdict = "partition";
/** Half of it arrives and the connection breaks. */
export type StreamVerdict = "tear";
/** No fault: two that differ have met. */
export type MixVerdict = "met";
export type StoreVerdict = "error" | "slow" | "full" | "crash";
export type Verdict = LinkVerdict | ProcessVerdict | HubVerdict | StoreVerdict | PeerVerdict | StreamVerdict | MixVerdict;

const UP = ["hello", "pub", "sub", "unsub", "ack", "req", "serve", "answer", "fail", "cancel", "call", "bye", "ping", "done", "nack"];
const DOWN = ["welcome", "pub", "on", "end", "ev", "mix", "gap", "ask", "ok", "err", "bye", "pong", "job"];
const LINK: readonly LinkVerdict[] = ["lose", "cut", "silence", "hold", "delay"];
const PROCESS: readonly ProcessVerdict[] = ["pause router", "pause client", "kill router", "kill client", "stop router", "clock router", "clock client"];
/** What a client may say twice: the rest is refused, and rightly, as no ordered pipe repeats anything. */
const REPEATABLE = ["pub", "ack", "unsub", "cancel", "done", "nack"];
const STORE = ["append", "read", "seqBefore", "trim", "readBookmark", "writeBookmarks"];
/** What routers say to each other, where several share a log. `partition`: for a while nothing passes between the two. */
const PEER = ["open", "join", "say", "become", "left", "beat", "broken", "lead", "free", "pass"];
const PEERS: readonly Verdict[] = ["lose", "delay", "partition", "pause router", "kill router"];
/** What SQLite is told, by the table it is about. */
const SQL = ["BEGIN", "COMMIT", "block", "mark", "id", "first", "drop"];

const pairs = <V extends Verdict>(steps: readonly string[], verdicts: readonly V[]): (readonly [string, V])[] => steps.flatMap((at) => verdicts.map((verdict) => [at, verdict] as const));

/** What a bridge does between the namespace that it reads and the one that it publishes in: it has an event; that event is there. */
const BRIDGE = ["take", "done"];

/** Between a tab and what it shares a connection by, where no message is lost. */
const TAB = ["up:hello", "up:pub", "up:sub", "up:unsub", "up:ack", "up:req", "up:serve", "up:answer", "up:call", "up:done", "up:nack", "down:welcome", "down:pub", "down:on", "down:end", "down:ev", "down:mix", "down:gap", "down:ask", "down:ok", "down:err", "down:job", "down:bye"];

/** Of server-sent events: the request, and what a piece of the answer brings. */
const SSE = ["open", "retry", "id", "data"];

/** Releases that meet: at the two ends of a connection, and over one log. */
const MIXES = [...RELEASES.flatMap((client) => RELEASES.map((router) => `mix:${client} client, ${router} router`)).filter((one) => one !== "mix:this client, this router"), "mix:newer record", "mix:newer word"];

/** Each step with each fault that can befall it. A run of many seeds must have reached them all. */
export const cells: readonly (readonly [at: string, verdict: Verdict])[] = [
  ...pairs([...UP.map((name) => `up:${name}`), ...DOWN.map((name) => `down:${name}`)], [...LINK, ...PROCESS]),
  ...pairs(REPEATABLE.map((name) => `up:${name}`), ["duplicate"]),
  ...pairs(STORE.map((name) => `store:${name}`), ["error", "slow", "full", "crash"]),
  ...pairs(SQL.map((name) => `sql:${name}`), ["error", "crash"]),
  ...pairs(PEER.map((name) => `peer:${name}`), PEERS),
  ...pairs(TAB.map((name) => `tab ${name}`), ["delay", "kill client", "kill hub", "close hub"] as const),
  ...pairs(BRIDGE.map((name) => `bridge:${name}`), ["delay", "pause client", "kill client", "clock client"] as const),
  ...pairs(SSE.map((name) => `sse:${name}`), ["lose", "cut", "tear", "delay", "kill router", "stop router", "kill client"] as const),
  ...pairs(["sse:gap"], ["lose", "tear", "delay"] as const),
  ...pairs(MIXES, ["met"] as const),
  ...pairs(["store:claim", "store:release"], ["error", "slow", "crash"]),
];

export const cellOf = (at: string, verdict: Verdict): string => `${verdict} at ${at}`;

/** The faults of one run that wait for their step, and those that came. */
export class Faults {
  #armed: { readonly fault: Fault; left: number }[];
  readonly came: Fault[] = [];

  constructor(list: readonly Fault[]) {
    this.#armed = list.map((fault) => ({ fault, left: fault.skip }));
  }

  /** A step is reached: what befalls it. */
  take(at: string): Fault | undefined {
    for (const [i, one] of this.#armed.entries()) {
      if (one.fault.at !== at) continue;
      if (one.left-- > 0) continue;
      this.#armed.splice(i, 1);
      this.came.push(one.fault);
      return one.fault;
    }
    return undefined;
  }

  /** Something that is no fault, and must be seen as well. */
  met(at: string): void {
    if (!this.came.some((one) => one.at === at)) this.came.push({ at, verdict: "met", skip: 0, ms: 0, behind: false });
  }

  /** Nothing more goes wrong. */
  heal(): void {
    this.#armed = [];
  }
}
