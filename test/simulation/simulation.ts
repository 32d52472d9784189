import { createHash } from "node:crypto";
// What a client loads at its first use comes after a real turn of the loop, which no seed decides: it is there from the start.
import "../../src/client/batches.ts";
import "../../src/client/engine.ts";
import "../../src/client/jobs.ts";
import "../../src/client/process-span.ts";
import "../../src/client/publishing.ts";
import "../../src/client/renewal.ts";
import "../../src/client/requests.ts";
import "../../src/client/responders.ts";
import "../../src/client/spread.ts";
import "../../src/client/subscribe-options.ts";
import "../../src/client/too-large.ts";
import "../../src/client/transaction.ts";
import { EventRouterError } from "../../src/core/errors.ts";
import { violations, type Figure, type Reading } from "../support/history.ts";
import { Book } from "./book.ts";
import { BridgeNode } from "./bridge-node.ts";
import { ClientNode } from "./client-node.ts";
import { Faults, type Fault } from "./faults.ts";
import { HubNode } from "./hub-node.ts";
import { Network, type Wire } from "./network.ts";
import { PageNode } from "./page-node.ts";
import { NAMESPACES, type Plan } from "./plan.ts";
import { Process } from "./process.ts";
import { Random } from "./random.ts";
import { Speech, type Release } from "./releases.ts";
import { Authority, type Restriction } from "./rights.ts";
import { RouterNode } from "./router-node.ts";
import { Storage } from "./simulated-store.ts";
import { Tap } from "./tap.ts";
import { Timeline } from "./timeline.ts";
import { Truth } from "./truth.ts";

/** How long, in its own time, a world that has been healed may take until nothing is left to do. */
const REST = 240_000;

export interface Result {
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Hash of the trace: the same plan gives the same one. */
  readonly hash: string;
  readonly faults: readonly Fault[];
  readonly steps: number;
  readonly events: number;
  readonly delivered: number;
}

/** Runs a plan: goes wrong as planned, is healed, and must come to rest with nothing lost. Checks all that was seen. */
export async function simulate(plan: Plan, { forbidden }: { readonly forbidden?: string } = {}): Promise<Result> {
  return new Simulation(plan, forbidden).run();
}

/** What of a reading is a getter is not copied by a spread. */
const partsOf = ({ name, wants, after, epoch, left, once, seen }: Reading): Reading => ({ name, wants, after, epoch, left: left === true, once: once === true, seen });

class Simulation {
  readonly #plan: Plan;
  readonly #timeline = new Timeline();
  readonly #faults: Faults;
  readonly #truth: Truth;
  readonly #book: Book;
  readonly #storage: Storage;
  readonly #routers: readonly RouterNode[];
  readonly #clients: readonly ClientNode[];
  readonly #bridges: readonly BridgeNode[];
  readonly #pages: readonly PageNode[];
  readonly #hub: HubNode | undefined;
  readonly #network: Network;
  readonly #trace: string[] = [];
  readonly #violations = new Set<string>();
  readonly #forbidden: string | undefined;
  readonly #authority = new Authority();
  readonly #tokens = new Map<string, Set<number>>();
  #lastSeen = -1;

  /** @param forbidden a type that nobody may see: a rule that does not hold, to try what happens then */
  constructor(plan: Plan, forbidden: string | undefined) {
    this.#plan = plan;
    this.#forbidden = forbidden;
    const { seed } = plan;
    const timeline = this.#timeline;
    const trace = (line: string): void => void this.#trace.push(`${timeline.now.toFixed(3)} ${line}`);
    const violated = (what: string): void => {
      trace(`VIOLATION ${what}`);
      this.#violations.add(what);
    };
    this.#faults = new Faults(plan.faults);
    this.#truth = new Truth(violated);
    this.#book = new Book(this.#truth, trace, violated);
    const failed = (error: unknown): void => {
      trace(`a router tells of ${error instanceof EventRouterError ? error.code : String(error)}`);
      if (!(error instanceof EventRouterError) || !["ERR_STORE", "ERR_RETENTION"].includes(error.code)) violated(`a router failed: ${String(error)}`);
    };
    this.#storage = new Storage({ kind: plan.storage, faults: this.#faults, random: new Random(seed, "storage"), truth: this.#truth, latency: plan.storeLatency, peerLatency: plan.latency, clockless: () => timeline.now, trace, failed,
      release: (process) => this.#releaseOf(process),
      granted: (namespace, process) => this.#granted(namespace, process),
    });
    const died = (process: Process): void => {
      this.#network.died(process);
      for (const page of this.#pages) page.hostDied(process);
    };
    const { limits, tail, retention, heartbeat } = plan;
    this.#routers = Array.from({ length: plan.routers }, (_, i) => new RouterNode(new Process(`r${i}`, timeline), { storage: this.#storage, random: new Random(seed, `router ${i}`), settings: { limits, tail, retention, heartbeat, policy: this.#authority.policy }, died, trace, failed }));
    this.#network = new Network({
      timeline, faults: this.#faults, random: new Random(seed, "network"), routers: this.#routers, latency: [0.1, plan.latency], trace,
      befall: (fault, wire) => this.#befall(fault, wire),
      tap: (wire) => this.#tap(wire, violated),
      speech: ({ client, router }) => this.#speech(client, router.process),
    });
    if (plan.clients.some(({ tab }) => tab === true)) {
      const process = new Process("h0", timeline);
      this.#hub = new HubNode(process, { random: new Random(seed, "hub"), link: (own, random) => this.#network.link(process, own, random), died, trace, violated });
    }
    this.#clients = plan.clients.map((one, i) => {
      const process = new Process(`c${i}`, timeline);
      // Tabs show the credential of whoever sits in front of them.
      const restrict = (to: Restriction): void => this.#authority.restrict(this.#keyOf(process.name), timeline.now, to, this.#routers);
      const hosts = one.tab === true ? [this.#hub!] : this.#routers;
      return new ClientNode(process, { plan: one, key: this.#keyOf(process.name), book: this.#book, random: new Random(seed, `client ${i}`), link: (own, random) => this.#network.link(process, own, random, hosts), restrict, died, trace, violated });
    });
    this.#bridges = (plan.bridge === undefined ? [] : [plan.bridge]).map((one, i) => {
      const process = new Process(`b${i}`, timeline);
      return new BridgeNode(process, { plan: one, book: this.#book, faults: this.#faults, random: new Random(seed, `bridge ${i}`), link: (own, random) => this.#network.link(process, own, random), died, trace, violated });
    });
    this.#pages = plan.pages.map((one, i) => new PageNode(new Process(`e${i}`, timeline), { plan: one, book: this.#book, faults: this.#faults, random: new Random(seed, `page ${i}`), routers: this.#routers, latency: [0.1, plan.latency], trace, violated }));
  }

  async run(): Promise<Result> {
    const unheard = (error: unknown): void => void this.#violations.add(`nobody heard of ${error instanceof Error ? error.stack! : String(error)}`);
    process.on("unhandledRejection", unheard);
    try {
      await this.#run();
    } catch (error) {
      this.#violations.add(`the simulation failed: ${error instanceof Error ? error.stack! : String(error)}`);
    } finally {
      process.off("unhandledRejection", unheard);
      this.#storage.close();
    }
    const hash = createHash("sha256").update(this.#trace.join("\n")).digest("hex").slice(0, 16);
    return {
      violations: [...this.#violations], trace: this.#trace, hash, faults: this.#faults.came, steps: this.#timeline.steps,
      events: NAMESPACES.reduce((sum, one) => sum + this.#truth.head(one), 0), delivered: this.#book.readings.reduce((sum, { seen }) => sum + seen.length, 0),
    };
  }

  async #run(): Promise<void> {
    const plan = this.#plan;
    const timeline = this.#timeline;
    for (const router of this.#routers) await router.start();
    for (const op of plan.ops) {
      timeline.after(op.at, () => {
        this.#trace.push(`${timeline.now.toFixed(3)} c${op.client} does ${op.do}`);
        this.#clients[op.client]!.do(op);
      });
    }
    await timeline.run(plan.duration);
    await this.#heal();
    // What is new now must come through too.
    const last = this.#clients.map((_, client) => ({ at: 0, client, do: "publish", how: "each", types: ["a.x"], pad: 0, timeout: REST }) as const);
    timeline.after(3_000, () => { for (const op of last) this.#clients[op.client]!.do(op); });
    await timeline.run(timeline.now + 5_000);
    let looked = timeline.now;
    await timeline.run(timeline.now + REST, () => {
      if (timeline.now < looked + 250) return false;
      looked = timeline.now;
      return this.#atRest();
    });
    this.#check();
    const closing = Promise.all([...this.#applications, ...this.#pages].map((one) => one.close()));
    let closed = false;
    void closing.then(() => { closed = true; });
    await timeline.run(timeline.now + 60_000, () => closed);
    if (!closed) this.#violations.add("I13 a client that closes does not come to its end");
    // A hub without tabs keeps its connection for a while, also one that it has not got.
    await timeline.run(timeline.now + 60_000, () => this.#left().length === 0 && (this.#hub?.process.planned ?? 0) === 0);
    for (const one of this.#left()) this.#violations.add(one);
    this.#hub?.looksForLeaks();
  }

  /** Under which key a process is known. */
  #keyOf(process: string): string {
    return process.startsWith("c") && this.#plan.clients[Number(process.slice(1))]!.tab === true ? "h0" : process;
  }

  #releaseOf({ name, life }: Pick<Process, "name" | "life">): Release {
    const { clients, releases } = this.#plan;
    const number = Number(name.slice(1));
    return name.startsWith("r") ? releases[(number + life) % releases.length]! : name.startsWith("c") ? clients[number]!.release : "this";
  }

  /** What an end says as one of its release would. A tab says it to its hub, and the hub what it hears to the router. */
  #speech(client: string, host: Process): Speech {
    const [of, by] = [this.#releaseOf({ name: client, life: 0 }), this.#releaseOf(host)];
    const speech = new Speech(of, by);
    if (speech.mixed && host !== this.#hub?.process) this.#faults.met(`mix:${of} client, ${by} router`);
    return speech;
  }

  #tap({ name, client, router }: Pick<Wire, "name" | "client" | "router">, violated: (what: string) => void): Tap {
    const { storage, limits: { windowEvents, windowSize } } = this.#plan;
    // What comes by a hub left the router when it might, with tokens of the router's.
    if (router === this.#hub) return new Tap(name, { windowEvents, windowSize, violated, mayRead: () => true, tokensOf: () => new Set() });
    return new Tap(name, {
      windowEvents, windowSize, violated, mayRead: (type) => this.#authority.mayRead(client, type, router.process),
      // Where several routers share a log, a token is never given again by any of them.
      tokensOf: (namespace) => this.#tokensOf(`${storage === "shared" ? "" : `${router.process.name} ${router.process.life} `}${namespace}`),
    });
  }

  get #applications(): readonly (ClientNode | BridgeNode)[] { return [...this.#clients, ...this.#bridges]; }

  /** Nobody else takes himself for the leader at that moment, but for one that stands still, or whose clock was set. */
  #granted(namespace: string, to: Process): void {
    if (this.#faults.came.some(({ verdict }) => verdict === "clock router")) return;
    for (const { process, router } of this.#routers) {
      if (process === to || process.paused || router?.stats().get(namespace)?.leads !== 1) continue;
      this.#violations.add(`I10 ${to.name} is given the lead of ${namespace} while ${process.name} has it`);
    }
  }

  /** What routers have that somebody left behind. What one router has for the client of another hears of its end a moment later. */
  #left(): string[] {
    return this.#routers.flatMap(({ router, process }) => [...router?.stats() ?? []].flatMap(([name, { connections, activeSubscriptions, openRequests }]) =>
      (connections === 0 && activeSubscriptions === 0 && openRequests === 0 ? [] : [`I13 ${process.name} has ${connections} connections, ${activeSubscriptions} subscriptions and ${openRequests} requests of ${name} when all clients have left`])));
  }

  #befall(fault: Fault, { client, router }: Wire): void {
    if (client === this.#hub?.process.name && fault.verdict.endsWith("client")) this.#hub.befall(fault);
    else if (fault.verdict.endsWith("client")) this.#applications.find(({ process }) => process.name === client)!.befall(fault);
    else router.befall(fault);
  }

  #tokensOf(life: string): Set<number> {
    let tokens = this.#tokens.get(life);
    if (tokens === undefined) this.#tokens.set(life, (tokens = new Set()));
    return tokens;
  }

  /** Nothing goes wrong any more, and what was broken is put right. Clocks stay as they are. */
  async #heal(): Promise<void> {
    this.#trace.push(`${this.#timeline.now.toFixed(3)} HEAL`);
    this.#faults.heal();
    this.#storage.heal();
    for (const router of this.#routers) await router.heal();
    this.#hub?.heal();
    for (const client of this.#clients) {
      this.#authority.restrict(this.#keyOf(client.process.name), this.#timeline.now, "all", this.#routers);
      client.heal();
    }
    for (const one of [...this.#bridges, ...this.#pages]) one.heal();
    for (const wire of this.#network.wires) wire.release();
  }

  /** Whether everybody has all that is there. Looked at closely once nothing more comes. */
  #atRest(): boolean {
    for (const client of this.#clients) if (this.#authority.turnedAway(this.#keyOf(client.process.name))) client.persist();
    const seen = this.#book.seen;
    const quiet = seen === this.#lastSeen;
    this.#lastSeen = seen;
    return quiet && this.#backlog().every(({ value, should }) => value === should) && this.#violationsNow().length === 0;
  }

  #backlog(): Figure[] {
    const figures: Figure[] = [{ name: "subscriptions the router does not have yet", value: this.#book.readings.filter(({ left, after }) => !left && after === Infinity).length, should: 0 }];
    for (const { process, router } of this.#routers) {
      for (const [name, stats] of router?.stats() ?? []) {
        // Where others write and work too, a router knows of groups whose members are elsewhere.
        if (this.#plan.routers === 1) figures.push({ name: `queueDepth of ${name} on ${process.name}`, value: stats.queueDepth, should: 0 });
        figures.push({ name: `openRequests of ${name} on ${process.name}`, value: stats.openRequests, should: 0 });
      }
    }
    for (const { process, atRest } of this.#bridges) figures.push({ name: `${process.name} is at rest`, value: atRest, should: true });
    for (const { process, client, open } of this.#clients) figures.push({ name: `state of ${process.name}`, value: client?.state === "idle" ? "connected" : client?.state, should: "connected" }, { name: `publishes of ${process.name} without an answer`, value: open, should: 0 });
    return figures;
  }

  #counters(namespace: string): Figure[] {
    const life = this.#truth.lives(namespace).at(-1);
    if (life === undefined) return [];
    return this.#routers.flatMap(({ process, router }) => {
      const stats = router?.stats().get(namespace);
      if (stats === undefined) return [];
      const name = (what: string): string => `${what} of ${namespace} on ${process.name}`;
      return [
        { name: name("epoch"), value: stats.epoch, should: life.epoch }, { name: name("head"), value: stats.head, should: life.events.length },
        { name: name("first"), value: stats.first, should: life.trimmed! + 1 }, { name: name("totalEvents"), value: stats.totalEvents, should: life.events.length - life.trimmed! },
      ];
    });
  }

  #violationsNow(): string[] {
    const backlog = this.#backlog();
    const { attempts, readings, questions, unordered, crews } = this.#book;
    // A router that starts anew when its clock was set back an hour has what is to come in a second wait an hour longer: late, not lost.
    const late = this.#faults.came.some(({ verdict }) => verdict === "clock router");
    return NAMESPACES.flatMap((namespace, i) => {
      const lives = this.#truth.lives(namespace);
      const log = lives.at(-1);
      if (log === undefined) return [];
      const mine = new Set([...this.#plan.clients.flatMap((one, client) => (one.namespace === namespace ? [`c${client}`] : [])), ...(this.#plan.bridge?.to === namespace ? ["b0"] : [])]);
      return violations({
        namespace, counters: this.#counters(namespace), log, earlier: lives.slice(0, -1), unordered, rivals: this.#plan.routers > 1, backlog: i === 0 ? backlog : [], questions: i === 0 ? questions : [],
        attempts: attempts.filter(({ publisher }) => mine.has(publisher.split(/[.:]/)[0]!)).map((one) => (late && one.later === true && one.fate.state === "acked" ? { ...one, fate: { state: "unknown" as const } } : one)), readings: readings.filter((reading) => reading.namespace === namespace).map((reading) => ({ ...partsOf(reading), spares: ({ type }) => this.#authority.spares([this.#keyOf(reading.name.slice(0, 2))], type) })),
        crews: crews.filter((crew) => crew.namespace === namespace).map((crew) => ({ ...crew, dead: crew.dead, spares: ({ type }) => this.#authority.spares([...mine].map((one) => this.#keyOf(one)), type) })),
      });
    });
  }

  #check(): void {
    for (const { name, seen } of this.#book.readings) for (const one of seen) if ("type" in one && one.type === this.#forbidden) this.#violations.add(`X ${name} saw a ${one.type}`);
    for (const one of this.#violationsNow()) this.#violations.add(one);
  }
}
