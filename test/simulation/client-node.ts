import { EventRouterError } from "../../src/core/errors.ts";
import type { RouterEvent } from "../../src/core/event.ts";
import type { Link } from "../../src/core/link.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import { Client } from "../../src/client/client.ts";
import type { Receipt } from "../../src/client/receipt.ts";
import type { Subscription } from "../../src/client/subscription.ts";
import type { Sighting } from "../support/history.ts";
import type { Book, RecordedReading } from "./book.ts";
import { isExpected } from "./expected.ts";
import type { Fault } from "./faults.ts";
import type { ClientPlan, Op, Standing } from "./plan.ts";
import { Kept, Planned } from "./kept.ts";
import type { Incarnation, Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Restriction } from "./rights.ts";
import { sightingOf, type Mark } from "./sighting.ts";

export interface ClientNodeOptions {
  readonly plan: ClientPlan;
  /** What it shows to be let in. */
  readonly key: string;
  readonly book: Book;
  readonly random: Random;
  link(own: Incarnation, random: Random): Link;
  /** What this client may read is changed by whoever decides that. */
  restrict(to: Restriction): void;
  died(process: Process): void;
  trace(line: string): void;
  violated(what: string): void;
}

/** An application: a client, what it listens to and what it says, in a process that may die and come back. */
export class ClientNode {
  readonly process: Process;
  readonly plan: ClientPlan;
  readonly #options: ClientNodeOptions;
  readonly #book: Book;
  readonly #standing: Standing[] = [];
  readonly #responds: { readonly type: string; readonly ms: number }[] = [];
  #client: Client | undefined;
  #own: Incarnation;
  readonly #kept: Kept;
  #subscriptions: { readonly subscription: Subscription; readonly reading: RecordedReading }[] = [];
  /** All of this life, also those that the router does not have yet. */
  #readings: RecordedReading[] = [];
  /** What an event says of its publisher: each life of the process is another. */
  #publisher = "";
  #lives = 0;
  /** Its client takes leave, and the process ends then. */
  #leaving = false;
  readonly #open = new Set<unknown>();
  /** Its handlers take no time any more. */
  #hurries = false;

  constructor(process: Process, options: ClientNodeOptions) {
    this.process = process;
    this.plan = options.plan;
    this.#options = options;
    this.#book = options.book;
    this.#own = process.incarnation();
    this.#kept = new Kept({ process: process.name, plan: options.plan, book: options.book, random: options.random, hurries: () => this.#hurries, expected: (error) => this.#expected(error) });
    this.start();
  }

  get client(): Client | undefined { return this.#client; }
  /** Publishes whose fate it does not know yet. */
  get open(): number { return this.#open.size; }

  start(): void {
    if (this.#client !== undefined || this.#leaving) return;
    const { plan, key, random, link } = this.#options;
    const { process } = this;
    const { namespace, name, timeout, batchSize, poolSize } = plan;
    const own = this.#own = process.incarnation();
    this.#publisher = `${process.name}.${++this.#lives}`;
    // An older one does not tell the router of its earlier session, whose publishes may then come late.
    if (poolSize > 1 || plan.release === "older") this.#book.unordered.add(this.#publisher);
    this.#client = new Client({ makeLink: () => link(own, random), clock: own, random: random.next, randomBytes: random.bytes }, {
      namespace, timeout, batchSize, auth: { type: "api_key", key }, poolSize, ...(name !== undefined && { name }), logger: { error: (error) => this.#unexpected(error) },
    });
    this.#client.onError((error, event) => this.#failed(error, event));
    this.#kept.start(this.#client, own);
    for (const standing of this.#standing) this.#subscribe(standing);
    for (const { type, ms } of this.#responds) this.#respond(type, ms);
  }

  do(op: Op): void {
    const client = this.#client;
    if (client === undefined) return;
    // Refused for good: nothing can be done but to connect again.
    if (client.state === "closed" && op.do !== "restart" && op.do !== "leave") return void client.reconnect().catch((error: unknown) => this.#expected(error));
    switch (op.do) {
      case "publish": return this.#publish(op, client);
      case "publish own id": return this.#publishOwnId(op, client);
      case "publish later": return this.#publishLater(op, client);
      case "retry dead": return void client.call("dead.retry", { all: true }, { timeout: 2_000 }).catch((error: unknown) => this.#expected(error));
      case "restrict": return this.#options.restrict(op.to);
      case "together": return this.#together(op, client);
      case "subscribe":
        if (this.#standing.length >= 6) this.#standing.shift();
        this.#standing.push(op.standing);
        return this.#subscribe(op.standing);
      case "unsubscribe": return this.#unsubscribe(op.which);
      case "respond":
        if (this.#responds.length >= 2) return;
        this.#responds.push(op);
        return this.#respond(op.type, op.ms);
      case "request": return this.#request(op, client);
      case "call": return void client.call(op.method, op.method === "read" ? { limit: 2 } : {}, { timeout: 2_000 }).catch((error: unknown) => this.#expected(error));
      case "reconnect": return void client.reconnect().catch((error: unknown) => this.#expected(error));
      case "restart": return this.kill(200);
      case "leave":
        this.#client = undefined;
        this.#kept.stop();
        this.#leaving = true;
        for (const reading of this.#readings) reading.left = reading.over = true;
        void client.close().then(() => this.process.post(0, () => {
          this.#leaks();
          this.#end(300);
        }), (error: unknown) => this.#unexpected(error));
    }
  }

  heal(): void {
    this.persist();
    this.#hurries = true;
    this.process.heal();
    this.start();
  }

  /** Who was refused for good, as it may hear late, tries again when its operator sees that. */
  persist(): void {
    if (this.#client?.state === "closed") this.#client.reconnect().catch((error: unknown) => this.#expected(error));
  }

  /** It is gone in the middle of whatever it did; back after `ms`. */
  kill(ms: number): void {
    this.#options.trace(`${this.process.name} is killed`);
    this.#client = undefined;
    this.#end(ms);
  }

  befall(fault: Fault): void {
    switch (fault.verdict) {
      case "pause client": return this.process.pause(fault.ms);
      case "clock client": return void (this.process.skew += fault.behind ? 3_600_000 : -3_600_000);
      default: return this.kill(fault.ms);
    }
  }

  /** Leaves for good; resolves when nothing is left. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#kept.stop();
    this.#leaving = true;
    for (const reading of this.#readings) reading.left = true;
    await client?.close();
    if (client !== undefined) this.process.post(0, () => this.#leaks());
  }

  #leaks(): void {
    if (this.process.planned > 0) this.#options.violated(`I13 ${this.process.name} has closed and left ${this.process.planned} timers`);
  }

  #end(ms: number): void {
    for (const reading of this.#readings) reading.left = true;
    this.#subscriptions = [];
    this.#readings = [];
    this.#open.clear();
    this.#leaving = false;
    this.process.kill();
    this.#options.died(this.process);
    this.process.post(ms, () => this.start());
  }

  #publish(op: Op & { do: "publish" }, client: Client): void {
    const { how, types, pad, timeout, target, apart } = op;
    const publisher = how === "ephemeral" ? `${this.#publisher}:ephemeral` : this.#publisher;
    if (apart !== undefined) {
      const own = this.#own;
      types.forEach((type, i) => own.post(i * apart, () => { if (this.#client === client) this.#publish({ ...op, types: [type], apart: undefined! }, client); }));
      return;
    }
    for (const type of types) {
      const attempt = this.#book.attempt(publisher, { ephemeral: how === "ephemeral" });
      const event = { type, payload: this.#mark(attempt.publisher, attempt.number, pad), timeout, ...(target !== undefined && { target: `n${target}` }) };
      if (how === "nowait") {
        client.publishNowait(event);
        continue;
      }
      const abort = how === "abort" ? new AbortController() : undefined;
      if (abort !== undefined) this.process.post(timeout, () => abort.abort(new Planned("no longer wanted")));
      this.#settle([attempt], client.publish({ ...event, ...(how === "ephemeral" && { ephemeral: true }), ...(abort !== undefined && { signal: abort.signal, timeout: 10_000 }) }).then((receipt) => [receipt]));
    }
  }

  /** Events with ids of the application's own, which come again, also from another life of it; `changed`: another event under the same id. */
  #publishOwnId({ key, changed }: Op & { do: "publish own id" }, client: Client): void {
    const publisher = `${this.process.name}:own`;
    this.#book.unordered.add(publisher);
    const number = key + 1 + (changed ? 1_000 : 0);
    const attempt = this.#book.again(publisher, number);
    this.#settle([attempt], client.publish({ type: "c", id: `own:${this.process.name}:${key}`, payload: this.#mark(publisher, number, 0) }).then((receipt) => [receipt]));
  }

  /** Held back by the router; with an id of its own it may come again. */
  #publishLater({ type, delay, own }: Op & { do: "publish later" }, client: Client): void {
    const publisher = own === undefined ? `${this.#publisher}:later` : `${this.process.name}:ownlater`;
    this.#book.unordered.add(publisher);
    const attempt = own === undefined ? this.#book.attempt(publisher, { later: true }) : this.#book.again(publisher, own + 1, true);
    const event = { type, payload: this.#mark(publisher, attempt.number, 0), delay, ...(own !== undefined && { id: `later:${this.process.name}:${own}` }) };
    this.#settle([attempt], client.publish(event).then((receipt) => [receipt]));
  }

  #together({ how, types, pad, timeout }: Op & { do: "together" }, client: Client): void {
    const transaction = this.#book.transaction();
    const attempts = types.map(() => this.#book.attempt(this.#publisher, { transaction }));
    const events = types.map((type, i) => [type, this.#mark(this.#publisher, attempts[i]!.number, pad)] as const);
    if (how === "publishBatch") return this.#settle(attempts, client.publishBatch(events, { timeout }));
    // Its function runs a little later than it is called, so its events may be numbered behind others: what counts is when it is over.
    this.#book.unordered.add(this.#publisher);
    this.#settle(attempts, client.transaction(async (tx) => { for (const [type, payload] of events) await tx.publish(type, payload); }, { timeout }));
  }

  #subscribe({ topics, filter, from, handler, concurrency, ms }: Standing): void {
    const client = this.#client!;
    const { plan } = this;
    const own = this.#own;
    const { random } = this.#options;
    const reading = this.#book.reading(`${this.#publisher} ${topics.join(",")}`, plan.namespace, from, (event) => topics.some((pattern) => matchesPattern(pattern, event.type)) && accepts(filter, event) && (event.target === undefined || event.target === plan.name));
    this.#readings.push(reading);
    const look = (event: RouterEvent): void => void (own.alive && reading.see(sightingOf(event, event.epoch)));
    const sleep = (most: number): Promise<void> => new Promise((resolve) => void own.post(random.next() * (this.#hurries ? Math.min(most, 5) : most), resolve));
    const options = { from: typeof from === "string" ? from : "seq" in from ? from.seq : new Date(Math.max(0, this.process.now() - from.ago)), concurrency, ...(filter !== undefined && { filter }) };
    const added = (one: Subscription): void => {
      if (!own.alive) return;
      one.onGap((gap) => reading.gap(gap));
      reading.feed = one.feed;
      this.#subscriptions.push({ subscription: one, reading });
    };
    if (handler === "iterates") {
      const iterated = client.subscribe(topics, { from: options.from, ...(filter !== undefined && { filter }) });
      iterated.then(async (one) => {
        added(one);
        reading.began(one.feed.spec.from);
        for await (const event of one) {
          look(event as RouterEvent);
          await sleep(ms);
        }
      }).catch((error: unknown) => {
        reading.left = true;
        this.#expected(error);
      });
      return;
    }
    const subscription = client.on(topics, options, (event: RouterEvent) => {
      look(event);
      if (handler === "slow") return sleep(ms);
      if (handler === "throws" && event.seq % 3 === 0) throw new Planned("a handler throws");
      return undefined;
    });
    added(subscription);
    subscription.ready.then(() => reading.began(subscription.feed.spec.from), (error: unknown) => {
      reading.left = true;
      this.#expected(error);
    });
  }

  #unsubscribe(which: number): void {
    const one = this.#subscriptions[which];
    if (one === undefined) return;
    this.#subscriptions.splice(which, 1);
    one.reading.left = true;
    one.reading.over = true;
    void one.subscription.unsubscribe().catch((error: unknown) => this.#unexpected(error));
  }

  #respond(type: string, ms: number): void {
    const { random } = this.#options;
    const own = this.#own;
    this.#client!.respond(type, async (request: RouterEvent) => {
      const { key, ns } = request.payload as { key: string; ns: string };
      this.#book.carriedOut(key);
      if (ns !== this.plan.namespace) this.#options.violated(`I16 ${this.process.name} of ${this.plan.namespace} was asked by one of ${ns}`);
      await new Promise<void>((resolve) => void own.post(random.next() * ms, resolve));
      if (random.chance(0.25)) throw new Planned("a responder throws");
      return { to: key };
    });
  }

  #request({ type, timeout, abort: aborts }: Op & { do: "request" }, client: Client): void {
    const question = this.#book.question();
    const abort = aborts ? new AbortController() : undefined;
    if (abort !== undefined) this.process.post(this.#options.random.next() * timeout, () => abort.abort(new Planned("no longer wanted")));
    client.request(type, { key: question.key, ns: this.plan.namespace }, { timeout, ...(abort !== undefined && { signal: abort.signal }) }).then(
      (answer) => question.answered((answer.payload as { to: string }).to),
      (error: unknown) => this.#expected(error),
    );
  }

  #mark(publisher: string, number: number, pad: number): Mark {
    return { ns: this.plan.namespace, p: publisher, n: number, ...(pad > 0 && { pad: "x".repeat(pad) }) };
  }

  #settle(attempts: readonly ReturnType<Book["attempt"]>[], receipts: Promise<readonly Receipt[]>): void {
    this.#open.add(receipts);
    const over = (): void => void this.#open.delete(receipts);
    receipts.then(over, over);
    receipts.then(
      (all) => attempts.forEach((attempt, i) => this.#book.acked(attempt, all[i]!)),
      (error: unknown) => {
        this.#expected(error);
        this.#book.failed(attempts, error);
      },
    );
  }

  /** What no caller waits for. */
  #failed(error: unknown, event?: RouterEvent): void {
    if (event?.pending === true) {
      const { p, n } = event.payload as Mark;
      this.#book.failed([this.#book.of(p, n)], error);
    }
    this.#expected(error);
  }

  #expected(error: unknown): void {
    this.#options.trace(`${this.process.name} hears of ${error instanceof EventRouterError ? error.code : String(error)}`);
    if (!(error instanceof Planned) && !isExpected(error)) this.#unexpected(error);
  }

  #unexpected(error: unknown): void {
    this.#options.violated(`${this.process.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

/** What the filters of the plan say. */
function accepts(filter: Standing["filter"], event: Sighting): boolean {
  if (filter === undefined) return true;
  if ("payload.n" in filter) return event.number % 2 === 0;
  return event.publisher !== "c0.1";
}
