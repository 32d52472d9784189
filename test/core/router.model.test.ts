import fc from "fast-check";
import { expect, test } from "vitest";
import type { From, Gap, PublishMode } from "../../src/core/frames.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import type { LogEvent } from "../../src/core/log-event.ts";
import type { Log } from "../../src/core/store.ts";
import { allMicrotasks } from "../support/fake-surroundings.ts";
import { line, RawClient } from "../support/raw-client.ts";
import { range, World } from "../support/world.ts";

const WINDOW = { events: 4, size: 1_200 };
const TYPES = ["a.x", "a.y", "b.x", "c"] as const;
const PATTERNS = [["**"], ["a.*"], ["*.x"], ["c", "b.x"], ["b.x"]] as const;

/** A fault of the router, told with what led to it. */
function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** What the log says, from the store itself. */
class Truth {
  readonly events: LogEvent[] = [];
  trimmed = 0;
  readonly log: Log;
  constructor(log: Log) {
    this.log = log;
    log.watch((events) => this.events.push(...events));
  }
  get head(): number { return this.events.length; }
}

interface Wish { readonly topics: readonly string[]; readonly least: number | undefined }

/** One subscription of one client, over all its links. Checks each event as it comes. */
class Follower {
  readonly id: number;
  readonly #wish: Wish;
  readonly #truth: Truth;
  readonly #name: string;
  /** On this link: where the router is, what came un-acked. */
  #cursor = 0;
  #on = false;
  #unacked: { seq: number; size: number }[] = [];
  /** What is finished: where the next link goes on. */
  done: number;
  #expectedStart: number;
  #expectedGap: Gap["reason"] | undefined;

  constructor(id: number, wish: Wish, truth: Truth, name: string, start: number, gap?: Gap["reason"]) {
    this.id = id;
    this.#wish = wish;
    this.#truth = truth;
    this.#name = name;
    this.done = this.#expectedStart = start;
    this.#expectedGap = gap;
  }

  get unacked(): readonly { seq: number }[] { return this.#unacked; }
  get isOn(): boolean { return this.#on; }
  get filter() { return this.#wish.least === undefined ? {} : { filter: { payload: { $gte: this.#wish.least } } }; }
  get topics() { return this.#wish.topics; }

  wants(event: LogEvent): boolean {
    return this.#wish.topics.some((pattern) => matchesPattern(pattern, event.type))
      && (this.#wish.least === undefined || (event.payload as number) >= this.#wish.least)
      && (event.target === undefined || event.target === this.#name);
  }

  /** A new link: it goes on after what is finished. */
  again(): void {
    this.#on = false;
    this.#unacked = [];
    this.#expectedStart = this.done;
    this.#expectedGap = undefined;
  }

  began(seq: number): void {
    must(seq === this.#expectedStart, `subscription ${this.id} began after ${seq}, not ${this.#expectedStart}`);
    this.#cursor = this.done = seq;
    this.#on = true;
  }

  gap(gap: Gap): void {
    if (gap.reason === "epoch") {
      must(this.#expectedGap === "epoch", "a gap of an epoch that did not change");
      this.#expectedGap = undefined;
      return;
    }
    must(gap.to !== null && gap.to <= this.#truth.trimmed, `a gap up to ${gap.to}, the log is trimmed to ${this.#truth.trimmed}`);
    this.#passed(gap.from - 1, "before a gap");
    must(gap.from <= gap.to && gap.to > this.#cursor, "an empty gap");
    this.#cursor = gap.to;
    if (this.#unacked.length === 0) this.done = Math.max(this.done, gap.to);
  }

  event(seq: number, text: string): void {
    must(this.#on, "an event before its subscription is on");
    must(seq > this.#cursor, `[I5] seq ${seq} after ${this.#cursor}`);
    const event = this.#truth.events[seq - 1];
    must(event !== undefined, `[I2] seq ${seq} is not in the log`);
    must(JSON.stringify(JSON.parse(event.line)) === text, `[I4] ${text} is not ${event.line}`);
    must(this.wants(event), `an event that was not asked for: ${text}`);
    this.#passed(seq - 1, `before ${seq}`);
    this.#cursor = seq;
    this.#unacked.push({ seq, size: event.size });
    const size = this.#unacked.reduce((sum, one) => sum + one.size, 0);
    must(this.#unacked.length <= WINDOW.events, `[P11] ${this.#unacked.length} events un-acked`);
    must(size <= WINDOW.size || this.#unacked.length === 1, `[P11] ${size} units un-acked`);
  }

  acked(seq: number): void {
    this.#unacked = this.#unacked.filter((one) => one.seq > seq);
    this.done = Math.max(this.done, seq);
  }

  /** Nothing is missing up to the head. */
  arrived(): void {
    must(this.#on, `subscription ${this.id} never came on`);
    this.#passed(this.#truth.head, "at the end");
    must(this.#expectedGap === undefined, "no gap told of another epoch");
  }

  #passed(to: number, when: string): void {
    for (let seq = this.#cursor + 1; seq <= to; seq++) must(!this.wants(this.#truth.events[seq - 1]!), `[I6] seq ${seq} was skipped ${when} (subscription ${this.id})`);
  }
}

/** A client that subscribes, stalls, loses its link and goes on. */
class Subscriber {
  readonly name: string;
  readonly #world: World;
  readonly #truth: Truth;
  #client: RawClient | undefined;
  #read = 0;
  /** What the last ack said was received. */
  #told = 0;
  #lastId = 0;
  readonly followers = new Map<number, Follower>();

  constructor(name: string, world: World, truth: Truth) {
    this.name = name;
    this.#world = world;
    this.#truth = truth;
  }

  get connected(): boolean { return this.#client !== undefined; }
  get client(): RawClient | undefined { return this.#client; }

  async connect(): Promise<void> {
    if (this.#client !== undefined) return;
    this.#client = new RawClient(this.#world.router);
    this.#read = this.#told = 0;
    this.#client.hello({ name: this.name });
    await allMicrotasks();
    const { epoch } = this.#truth.log;
    for (const follower of this.followers.values()) {
      follower.again();
      this.#client.subscribe(follower.id, { topics: follower.topics, ...follower.filter, from: [epoch, follower.done] });
    }
  }

  cut(): void {
    this.#client?.session.disconnected();
    this.#client = undefined;
  }

  subscribe(wish: Wish, from: From, start: number): void {
    if (this.#client === undefined) return;
    const id = ++this.#lastId;
    const follower = new Follower(id, wish, this.#truth, this.name, start, Array.isArray(from) && from[0] !== this.#truth.log.epoch ? "epoch" : undefined);
    this.followers.set(id, follower);
    this.#client.subscribe(id, { topics: wish.topics, ...follower.filter, from });
  }

  unsubscribe(which: number): void {
    const ids = [...this.followers.keys()];
    if (ids.length === 0 || this.#client === undefined) return;
    const id = ids[which % ids.length]!;
    this.read();
    this.followers.delete(id);
    this.#client.say(["unsub", id]);
  }

  /** Looks at what came since. */
  read(): boolean {
    if (this.#client === undefined) return false;
    const frames = this.#client.frames.slice(this.#read);
    this.#read = this.#client.frames.length;
    for (const frame of frames) {
      switch (frame[0]) {
        case "on": this.followers.get(frame[1])?.began(frame[3]); break;
        case "gap": this.followers.get(frame[1])?.gap(frame[2]); break;
        case "ev": for (const event of frame[2]) for (const id of frame[1]) this.#deliver(id, event); break;
        case "mix": frame[2].forEach((event, i) => { for (const id of frame[1][i]!) this.#deliver(id, event); }); break;
        case "welcome": break;
        case "end": must(frame[2] === undefined, `an unasked end: ${JSON.stringify(frame)}`); break;
        default: throw new Error(`an unexpected frame ${JSON.stringify(frame)}`);
      }
    }
    return frames.length > 0;
  }

  #deliver(id: number, event: readonly unknown[]): void {
    this.followers.get(id)?.event(event[0] as number, JSON.stringify(event));
  }

  /** Finishes a share of what one subscription has, or all of all, and tells what was received; says whether either is news to the router. */
  ack(which: number, share: number): boolean {
    const followers = [...this.followers.values()].filter(({ isOn }) => isOn);
    if (this.#client === undefined) return false;
    this.read();
    const done: number[] = [];
    for (const follower of share === 1 ? followers : followers.slice(which % Math.max(1, followers.length)).slice(0, 1)) {
      const seq = follower.unacked[Math.ceil(share * follower.unacked.length) - 1]?.seq;
      if (seq === undefined) continue;
      follower.acked(seq);
      done.push(follower.id, seq);
    }
    this.#client.ack(...done);
    // What was received, also for a subscription that has ended, makes room for the others.
    const news = this.#client.received > this.#told;
    this.#told = this.#client.received;
    return done.length > 0 || news;
  }
}

/** A client that publishes, and after a cut asks again for what has no answer. */
class SteadyPublisher {
  readonly #world: World;
  readonly #name: string;
  get client(): RawClient { return this.#client!; }
  #client: RawClient | undefined;
  #count = 0;
  #open: { req: number; lines: readonly string[]; mode: PublishMode }[] = [];

  constructor(name: string, world: World) {
    this.#name = name;
    this.#world = world;
  }

  async connect(): Promise<void> {
    this.#client = new RawClient(this.#world.router);
    this.#client.hello();
    await allMicrotasks();
    for (const one of this.#open) one.req = this.#client.publish(one.lines, one.mode);
  }

  publish(types: readonly string[], mode: PublishMode, size: number, target: string | undefined): void {
    const lines = types.map((type) => line(`${this.#name}-${++this.#count}`, type, this.#count, { correlationId: "x".repeat(size), ...(target !== undefined && { target }) }));
    this.#open.push({ req: this.#client!.publish(lines, mode), lines, mode });
  }

  async cut(): Promise<void> {
    this.#settled();
    this.#client!.session.disconnected();
    await this.connect();
  }

  #settled(): void {
    this.#open = this.#open.filter(({ req }) => this.#client!.answerTo(req) === undefined);
  }

  /** Everything was answered, and is in the log as the answers say. */
  check(truth: Truth): void {
    for (const { req, lines, mode } of this.#open) {
      const results = this.#client!.resultsOf(req) as (number | [number])[] | undefined;
      must(results !== undefined, "[P1] a publish without an answer");
      const seqs = results.map((one) => (Array.isArray(one) ? one[0] : one));
      seqs.forEach((seq, i) => must(truth.events[seq - 1]?.id === (JSON.parse(lines[i]!) as string[])[0], `[I1] ${lines[i]} is not at ${seq}`));
      if (mode.as === "all") must(seqs.every((seq, i) => seq === seqs[0]! + i), `[I9] a transaction at ${seqs.join()}`);
    }
    const numbers = truth.events.filter(({ id }) => id.startsWith(`${this.#name}-`)).map(({ id }) => Number(id.split("-")[1]));
    must(JSON.stringify(numbers) === JSON.stringify(range(1, this.#count)), `[I7][I8] ${this.#name} published 1 to ${this.#count}, the log has ${numbers.join()}`);
  }
}

const who = fc.nat(2);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("publish" as const), who, types: fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 7 }), all: fc.boolean(), size: fc.constantFrom(1, 1, 1, 100, 250), target: fc.constantFrom(undefined, undefined, undefined, "s0", "s1") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("subscribe" as const), who, wish: fc.record({ topics: fc.constantFrom(...PATTERNS), least: fc.constantFrom(undefined, undefined, 3, 10) }), from: fc.constantFrom("now", "start", "seq", "position", "other") , at: fc.double({ min: 0, max: 1.1, noNaN: true }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("ack" as const), who, which: fc.nat(5), share: fc.constantFrom(0, 0.3, 0.6, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), who, which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut" as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("connect" as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut publisher" as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("promises" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sleep" as const) }) },
);

test("[I1][I2][I4][I5][I6][I7][I8][I9][P2][P3][P11] any interleaving: each subscriber has every event it asked for once, in order, or is told of the gap", async () => {
  await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 120 }), fc.boolean(), async (commands, small) => {
    const world = new World({ limits: { windowEvents: WINDOW.events, windowSize: WINDOW.size }, tail: small ? { events: 3, size: 500 } : { events: 64, size: 20_000 }, retention: { maxEvents: 64 } });
    const opener = await world.client();
    const log = await world.log();
    const truth = new Truth(log);
    const { trim } = log;
    (log as { trim: Log["trim"] }).trim = (seq) => {
      truth.trimmed = Math.max(truth.trimmed, Math.min(seq, log.head));
      return trim(seq);
    };
    const publishers = ["p0", "p1", "p2"].map((name) => new SteadyPublisher(name, world));
    const subscribers = ["s0", "s1", "s2"].map((name) => new Subscriber(name, world, truth));
    for (const one of [...publishers, ...subscribers]) await one.connect();

    for (const one of commands) {
      switch (one.do) {
        case "publish": publishers[one.who]!.publish(one.types, one.all ? { as: "all" } : { as: "each" }, one.size, one.target); break;
        case "subscribe": {
          const seq = Math.floor(one.at * log.head);
          const [from, start]: [From, number] = one.from === "now" ? ["now", log.head]
            : one.from === "start" ? ["start", log.first - 1]
            : one.from === "seq" ? [{ seq }, Math.min(Math.max(seq, 1) - 1, log.head)]
            : one.from === "position" ? [[log.epoch, seq], Math.min(seq, log.head)]
            : [["another", seq], log.first - 1];
          subscribers[one.who]!.subscribe(one.wish, from, start);
          break;
        }
        case "ack": subscribers[one.who]!.ack(one.which, one.share); break;
        case "unsubscribe": subscribers[one.who]!.unsubscribe(one.which); break;
        case "cut": subscribers[one.who]!.cut(); break;
        case "connect": await subscribers[one.who]!.connect(); break;
        case "cut publisher": await publishers[one.who]!.cut(); break;
        case "trim": await log.trim(Math.floor(one.share * log.head)); break;
        case "turn": world.around.turn(); break;
        case "promises": await allMicrotasks(); break;
        case "settle": await world.settle(); break;
        case "sleep": await world.sleep(opener, ...publishers.map(({ client }) => client), ...subscribers.flatMap(({ client }) => client ?? [])); break;
      }
      for (const subscriber of subscribers) subscriber.read();
    }

    for (const subscriber of subscribers) await subscriber.connect();
    let moved = true;
    for (let rounds = 0; moved; rounds++) {
      must(rounds < 1_000, "it never comes to rest");
      await world.settle();
      moved = false;
      for (const subscriber of subscribers) {
        if (subscriber.read()) moved = true;
        if (subscriber.ack(0, 1)) moved = true;
      }
    }
    for (const publisher of publishers) publisher.check(truth);
    for (const { followers } of subscribers) for (const follower of followers.values()) follower.arrived();
    must(world.stats().queueDepth === 0, "[I13] something still waits");
    expect(world.errors).toEqual([]);
    expect(opener.closed).toBeUndefined();
  }), { numRuns: 800 });
});
