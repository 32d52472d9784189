import type { RouterOptions } from "../../src/core/router-options.ts";
import { Router } from "../../src/core/router.ts";
import { createApp } from "../../src/http/app.ts";
import type { Port } from "../../src/core/link.ts";
import type { Session } from "../../src/core/session.ts";
import type { Store } from "../../src/core/store.ts";
import type { Fault } from "./faults.ts";
import type { Host } from "./network.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Storage } from "./simulated-store.ts";

export interface RouterNodeOptions {
  readonly storage: Storage;
  readonly random: Random;
  readonly settings: Omit<RouterOptions, "store" | "surroundings" | "onError">;
  /** The process has ended: whoever talked to it is told. */
  died(process: Process): void;
  trace(line: string): void;
  failed(error: unknown): void;
}

/** A server: a router in a process that is killed, stopped and started again. */
export class RouterNode implements Host {
  readonly process: Process;
  readonly #options: RouterNodeOptions;
  #router: Router | undefined;
  #store: Store | undefined;
  #app: ReturnType<typeof createApp> | undefined;
  #starting = false;

  constructor(process: Process, options: RouterNodeOptions) {
    this.process = process;
    this.#options = options;
  }

  get isUp(): boolean { return this.#router !== undefined; }
  get router(): Router | undefined { return this.#router; }

  async start(): Promise<void> {
    if (this.isUp || this.#starting) return;
    this.#starting = true;
    const { storage, random, settings, trace, failed } = this.#options;
    const { process } = this;
    const own = process.incarnation();
    let callOff = (): void => {};
    const wakeAt = (time: number | null): void => {
      callOff();
      if (time !== null) callOff = own.post(Math.min(Math.max(0, time - process.now()), 60_000), () => wakeAt(router.tick()));
    };
    try {
      this.#store = await storage.open(process, (fault) => this.kill(fault.ms));
    } catch (error) {
      trace(`${process.name} cannot open its store: ${String(error)}`);
      this.#starting = false;
      process.post(500, () => void this.start());
      return;
    }
    this.#starting = false;
    if (!own.alive) return;
    trace(`${process.name} is up`);
    const router: Router = new Router({
      ...settings, store: this.#store, onError: failed,
      surroundings: { now: process.now, randomBytes: random.bytes, defer: (callback) => void own.post(0, callback), wakeAt },
    });
    this.#router = router;
  }

  connect(port: Port): Session {
    return this.#router!.connect(port);
  }

  /** What it answers over HTTP. */
  async fetch(request: Request): Promise<Response> {
    const { random, failed } = this.#options;
    this.#app ??= createApp({ router: this.#router!, clock: this.process.incarnation(), randomBytes: random.bytes, onError: failed });
    return this.#app.fetch(request);
  }

  /** kill -9; it is back after `ms`. */
  kill(ms: number): void {
    this.#options.trace(`${this.process.name} is killed`);
    this.#end(ms);
  }

  /** Takes leave of its clients first. */
  stop(ms: number): void {
    const router = this.#router;
    if (router === undefined) return;
    this.#options.trace(`${this.process.name} stops`);
    const { life } = this.process;
    const over = (): void => { if (life === this.process.life) this.#end(ms); };
    // A supervisor does not wait for ever.
    this.process.post(5_000, over);
    // What it said last is on its way before the process ends.
    void router.close({ retryAfter: ms }).then(() => this.process.post(1, over));
  }

  async heal(): Promise<void> {
    this.process.heal();
    await this.start();
  }

  befall(fault: Fault): void {
    switch (fault.verdict) {
      case "pause router": return this.process.pause(fault.ms);
      case "stop router": return this.stop(fault.ms);
      case "clock router": return void (this.process.skew += fault.behind ? 3_600_000 : -3_600_000);
      default: return this.kill(fault.ms);
    }
  }

  #end(ms: number): void {
    this.#router = undefined;
    this.#app = undefined;
    this.#starting = false;
    this.process.kill();
    this.#options.died(this.process);
    this.process.post(ms, () => void this.start());
  }
}
