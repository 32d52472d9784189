import type { Fault, Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Release } from "./releases.ts";

export interface PeerNetworkOptions {
  readonly faults: Faults;
  readonly random: Random;
  /** ms from one router to another, at most. */
  readonly latency: number;
  trace(line: string): void;
}

/** A router in one life, and how what befalls it is carried out. */
export interface PeerProcess { readonly release: Release; readonly process: Process; readonly life: number; befall(fault: Fault): void }

/** How routers reach each other: what one sends another comes in order, later, or is lost. */
export class PeerNetwork {
  readonly #options: PeerNetworkOptions;
  /** When what was sent last comes, by sender and receiver. */
  readonly #lastAt = new Map<string, number>();
  /** Until when nothing passes between two. */
  readonly #parted = new Map<string, number>();

  constructor(options: PeerNetworkOptions) {
    this.#options = options;
  }

  carry(from: PeerProcess, to: PeerProcess, text: string, deliver: (said?: string) => void): void {
    const { faults, trace, latency, random } = this.#options;
    const pair = `${from.process.name} ${to.process.name}`;
    const now = from.process.clockless();
    if (from.life !== from.process.life) return;
    const step = stepOf(text);
    const fault = faults.take(`peer:${step}`);
    if (fault !== undefined) trace(`${pair} FAULT ${fault.verdict} at ${fault.at}`);
    if (fault?.verdict === "partition") this.#parted.set([from.process.name, to.process.name].sort().join(), now + fault.ms);
    if (fault?.verdict === "lose" || (this.#parted.get([from.process.name, to.process.name].sort().join()) ?? 0) > now) return;
    if (fault?.verdict.endsWith("router") === true) (fault.behind ? to : from).befall(fault);
    const at = Math.max(this.#lastAt.get(pair) ?? 0, now + random.skewed(0.1, latency)) + (fault?.verdict === "delay" ? fault.ms : 0);
    this.#lastAt.set(pair, at);
    // Who has died hears nothing, also if another life of the same process goes on.
    if (to.life !== to.process.life) return;
    to.process.postAt(at, () => deliver());
    if (from.release !== "newer" || random.chance(0.8)) return;
    // Of what a newer router says nothing may depend on whether this one understands it.
    faults.met("mix:newer word");
    to.process.postAt(at, () => deliver('["",0,"gossip",{"sinceNewer":1}]\nof something'));
  }

  heal(): void {
    this.#parted.clear();
  }
}

/** What a message is about: the word of a trunk, or what is said to all; `broken`: the end of a trunk. */
function stepOf(text: string): string {
  const end = text.indexOf("\n");
  const [, number, word] = JSON.parse(end === -1 ? text : text.slice(0, end)) as [string, number, string?];
  return word ?? (number === 0 ? "broken" : "?");
}
