import { ConnectionError } from "../../src/core/errors.ts";
import type { Link, LinkListener, Outgoing, Port } from "../../src/core/link.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Incarnation, Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Speech } from "./releases.ts";
import { stepsOf } from "./steps.ts";
import type { Timeline } from "./timeline.ts";
import type { Tap } from "./tap.ts";

export type Direction = "up" | "down";

/** What a host has of a client that is connected to it. */
export interface HostSession { receive(text: string): void; disconnected(): void }

/** Whom clients connect to: a router, or what stands between tabs and a router. */
export interface Host {
  readonly process: Process;
  readonly isUp: boolean;
  connect(port: Port): HostSession;
  befall(fault: Fault): void;
}

export interface NetworkOptions {
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly random: Random;
  readonly routers: readonly Host[];
  /** ms from one side to the other, at least and at most. */
  readonly latency: readonly [least: number, most: number];
  /** A step of the protocol: carries out what befalls a process there. */
  befall(fault: Fault, wire: Wire): void;
  trace(line: string): void;
  tap(wire: Wire): Tap;
  /** What the two ends make of each other's releases. */
  speech(wire: Wire): Speech;
}

/** One end of a wire, as its process has it. */
interface End { readonly process: Process; receive(text: string): void; gone(reason: string): void }
interface Pipe { to: End | undefined; lastAt: number; held: string[] | undefined }

/** One connection: an ordered pipe in each direction, until it breaks. */
export class Wire {
  readonly name: string;
  readonly client: string;
  readonly router: Host;
  /** What its steps are called: those between a tab and what it shares a connection by have names of their own. */
  readonly steps: "" | "tab ";
  readonly #network: NetworkOptions;
  readonly #pipes: Record<Direction, Pipe>;
  readonly #tap: Tap;
  readonly #speech: Speech;
  /** Messages vanish, and nobody knows. */
  #silent = false;
  /** Messages that came to the client. */
  heard = 0;

  constructor(name: string, client: string, router: Host, network: NetworkOptions, ends: Record<Direction, End>) {
    this.name = name;
    this.steps = network.routers.includes(router) ? "" : "tab ";
    this.client = client;
    this.router = router;
    this.#network = network;
    this.#pipes = { up: { to: ends.up, lastAt: 0, held: undefined }, down: { to: ends.down, lastAt: 0, held: undefined } };
    this.#tap = network.tap(this);
    this.#speech = network.speech(this);
  }

  send(direction: Direction, own: string): void {
    const { faults, trace } = this.#network;
    const text = direction === "up" ? this.#speech.up(own) : this.#speech.down(own);
    const steps = stepsOf(text);
    trace(`${this.name} ${direction} ${steps.join(" ")} ${text.length}`);
    if (direction === "down") this.#tap.told(own);
    if (text === "") return;
    if (this.#silent) return;
    const pipe = this.#pipes[direction];
    if (pipe.held !== undefined) return void pipe.held.push(text);
    for (const step of steps) {
      const fault = faults.take(`${this.steps}${direction}:${step}`);
      if (fault === undefined || (fault.verdict === "duplicate" && (steps.length > 1 || text.includes('"as":"ephemeral"')))) continue;
      trace(`${this.name} FAULT ${fault.verdict} at ${fault.at}`);
      switch (fault.verdict) {
        case "lose": return this.cut("lost");
        case "cut":
          this.#carry(direction, text);
          return this.cut("cut");
        case "silence":
          this.silence(fault.ms);
          return;
        case "hold":
          pipe.held = [text];
          return;
        case "delay":
          this.#carry(direction, text, fault.ms);
          return;
        case "duplicate":
          this.#carry(direction, text);
          return this.#carry(direction, text);
        default:
          if (fault.behind) this.#carry(direction, text);
          this.#network.befall(fault, this);
          if (!fault.behind) this.#carry(direction, text);
          return;
      }
    }
    this.#carry(direction, text);
  }

  /** The connection breaks: what is on its way arrives, and then both sides are told. */
  cut(reason: string): void {
    this.end("up", reason);
    this.end("down", reason);
  }

  /** One side has closed: the other is told when all that was sent has come. */
  end(direction: Direction, reason: string): void {
    if (this.#silent || this.#pipes[direction].held !== undefined) return;
    this.#later(direction, (end) => {
      this.#pipes[direction].to = undefined;
      end.gone(reason);
    });
  }

  /** Nothing passes any more. The router's host finds out in the end; the client must by itself. */
  silence(ms: number): void {
    this.#silent = true;
    this.#pipes.up.to?.process.post(30_000 + ms, () => this.#hangUp("up"));
  }

  /** What was held arrives now, late, and that is the end. */
  release(): void {
    for (const direction of ["up", "down"] as const) {
      const pipe = this.#pipes[direction];
      if (pipe.held === undefined) continue;
      this.#network.trace(`${this.name} late ${direction} ${pipe.held.length}`);
      for (const text of pipe.held) this.#carry(direction, text);
      pipe.held = undefined;
      this.cut("late");
    }
  }

  /** The side has gone without a word, or hangs up: nothing reaches it any more. */
  drop(side: "client" | "router"): void {
    this.#pipes[side === "client" ? "down" : "up"].to = undefined;
  }

  #hangUp(direction: Direction): void {
    const end = this.#pipes[direction].to;
    this.#pipes[direction].to = undefined;
    end?.gone("silent");
  }

  #carry(direction: Direction, text: string, delay = 0): void {
    this.#later(direction, (end) => {
      if (direction === "up") this.#tap.heard(text);
      else this.heard++;
      end.receive(text);
    }, delay);
  }

  #later(direction: Direction, task: (end: End) => void, delay = 0): void {
    const pipe = this.#pipes[direction];
    if (pipe.to === undefined) return;
    const { timeline, random, latency } = this.#network;
    pipe.lastAt = Math.max(pipe.lastAt, timeline.now + random.skewed(...latency) + delay);
    pipe.to.process.postAt(pipe.lastAt, () => { if (pipe.to !== undefined) task(pipe.to); });
  }
}

/** All connections, and how clients make them. */
export class Network {
  readonly #options: NetworkOptions;
  /** Also those that have ended: something of them may still be on its way. */
  readonly wires = new Set<Wire>();
  #made = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /**
   * A client's link: it tries again until it is closed, with a growing delay, as the WebSocket link does.
   * @param own The life that asks for it. A link may be made behind its end, when code of the client's has come: nothing comes of it.
   * @param hosts to one of which it connects
   */
  link(process: Process, own: Incarnation, random: Random, hosts: readonly Host[] = this.#options.routers): Link {
    let listener: LinkListener;
    let wire: Wire | undefined;
    let phase: "trying" | "open" | "waiting" | "ended" = "trying";
    let attempts = 0;
    let turn = 0;
    let callOff = (): void => {};

    const attempt = (): void => {
      phase = "trying";
      const mine = ++turn;
      const router = random.one(hosts);
      own.post(random.skewed(...this.#options.latency), () => {
        if (mine !== turn || phase !== "trying") return;
        if (!router.isUp) return lost("refused");
        const made = this.#connect(process, router, {
          message: (text) => { if (wire === made && phase === "open") listener.message(text); },
          gone: (reason) => { if (wire === made) lost(reason); },
        });
        wire = made;
        phase = "open";
        listener.open();
      });
    };
    const hangUp = (): void => {
      const gone = wire;
      wire = undefined;
      gone?.drop("client");
      gone?.end("up", "left");
    };
    const lost = (why: string): void => {
      if (phase !== "trying" && phase !== "open") return;
      phase = "waiting";
      hangUp();
      wait(random.next() * Math.min(2_000, 50 * 2 ** attempts));
      attempts = Math.min(attempts + 1, 6);
      listener.down(new ConnectionError("ERR_CONNECTION_LOST", `the connection was lost: ${why}`, { retryable: true }), false);
    };
    const wait = (delay: number): void => {
      callOff();
      callOff = own.after(delay, attempt);
    };
    return {
      start(on) {
        listener = on;
        attempt();
      },
      send(message) {
        if (phase === "open" && own.alive) wire?.send("up", message);
      },
      restart(delay = 0) {
        if (phase === "ended" || !own.alive) return;
        const was = phase;
        phase = "waiting";
        attempts = 0;
        hangUp();
        wait(delay);
        if (was === "open" || was === "trying") listener.down(new ConnectionError("ERR_CONNECTION_LOST", "the connection is made anew", { retryable: true }), false);
      },
      close() {
        if (!own.alive) return;
        phase = "ended";
        turn++;
        callOff();
        hangUp();
      },
    };
  }

  /** A process has died: who talks to it is told by its operating system. */
  died(process: Process): void {
    for (const wire of this.wires) {
      if (wire.router.process === process) {
        wire.drop("router");
        wire.end("down", "the router died");
      } else if (wire.client === process.name) {
        wire.drop("client");
        wire.end("up", "the client died");
      }
    }
  }

  #connect(process: Process, router: Host, on: { message(text: string): void; gone(reason: string): void }): Wire {
    const older = [...this.wires].filter(({ client }) => client === process.name);
    const name = `${process.name}-${router.process.name}-${++this.#made}`;
    this.#options.trace(`${name} opens`);
    const ends: Record<Direction, End> = {
      down: {
        process,
        receive: (text) => {
          // Another connection has taken over: what the older ones hold comes now.
          if (wire.heard === 2) for (const one of older) one.release();
          on.message(text);
        },
        gone: (reason) => on.gone(reason),
      },
      up: {
        process: router.process,
        receive: (text) => session.receive(text),
        gone: () => session.disconnected(),
      },
    };
    const wire: Wire = new Wire(name, process.name, router, this.#options, ends);
    this.wires.add(wire);
    const { life } = router.process;
    const session = router.connect({
      // A process that was killed in the middle of a call says nothing more, though its code runs to the end of it.
      send: (messages: readonly Outgoing[]) => { for (const { text } of messages) if (life === router.process.life) wire.send("down", text); },
      close: (code) => {
        if (life !== router.process.life) return;
        wire.drop("router");
        wire.end("down", `closed with code ${code}`);
      },
    });
    return wire;
  }
}
