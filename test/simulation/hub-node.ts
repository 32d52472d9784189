import type { Link, Port } from "../../src/core/link.ts";
import { Multiplexer } from "../../src/tabs/multiplexer.ts";
import type { Fault } from "./faults.ts";
import type { Host, HostSession } from "./network.ts";
import type { Incarnation, Process } from "./process.ts";
import type { Random } from "./random.ts";

export interface HubNodeOptions {
  readonly random: Random;
  link(own: Incarnation, random: Random): Link;
  died(process: Process): void;
  trace(line: string): void;
  violated(what: string): void;
}

/** Where the tabs of a browser meet: a worker, or the tab that leads, with the one connection that they share. It may die, and another takes over. */
export class HubNode implements Host {
  readonly process: Process;
  readonly #options: HubNodeOptions;
  #multiplexer: Multiplexer | undefined;

  constructor(process: Process, options: HubNodeOptions) {
    this.process = process;
    this.#options = options;
    this.start();
  }

  get isUp(): boolean { return this.#multiplexer !== undefined; }

  start(): void {
    if (this.isUp) return;
    const { random } = this.#options;
    const own = this.process.incarnation();
    // Who leads next has the secret of who led before.
    this.#multiplexer = new Multiplexer({ clock: own, random: random.next, randomBytes: random.bytes, defer: (callback) => void own.post(0, callback), instance: "hub" });
  }

  connect(port: Port): HostSession {
    const { random, link } = this.#options;
    const own = this.process.incarnation();
    return this.#multiplexer!.connect(port, { key: "above", makeLink: () => link(own, random) });
  }

  befall(fault: Fault): void {
    switch (fault.verdict) {
      case "pause client": return this.process.pause(fault.ms);
      case "clock client": return void (this.process.skew += fault.behind ? 3_600_000 : -3_600_000);
      case "close hub": return this.#leave(fault.ms);
      default: return this.#kill(fault.ms);
    }
  }

  heal(): void {
    this.process.heal();
    this.start();
  }

  /** All that was connected has left. */
  looksForLeaks(): void {
    if (this.process.planned > 0) this.#options.violated(`I13 ${this.process.name} has no tabs and has left ${this.process.planned} timers`);
  }

  /** Another tab leads from now on: this one sends all away. */
  #leave(ms: number): void {
    const { life } = this.process;
    this.#options.trace(`${this.process.name} sends its tabs away`);
    this.#multiplexer?.close();
    this.#multiplexer = undefined;
    // What it said last is on its way before it ends.
    this.process.post(1, () => { if (life === this.process.life) this.#end(ms); });
  }

  #kill(ms: number): void {
    this.#options.trace(`${this.process.name} is killed`);
    this.#end(ms);
  }

  #end(ms: number): void {
    this.#multiplexer = undefined;
    this.process.kill();
    this.#options.died(this.process);
    this.process.post(ms, () => this.start());
  }
}
