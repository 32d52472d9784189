import type { RouterEvent } from "../../src/core/event.ts";
import type { Gap } from "../../src/core/frames.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import type { Book, RecordedReading } from "./book.ts";
import { EventSource } from "./event-source.ts";
import type { Fault, Faults } from "./faults.ts";
import type { PagePlan } from "./plan.ts";
import type { Incarnation, Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { RouterNode } from "./router-node.ts";
import { sightingOf } from "./sighting.ts";

export interface PageNodeOptions {
  readonly plan: PagePlan;
  readonly book: Book;
  readonly faults: Faults;
  readonly random: Random;
  readonly routers: readonly RouterNode[];
  /** ms from one side to the other, at least and at most. */
  readonly latency: readonly [least: number, most: number];
  trace(line: string): void;
  violated(what: string): void;
}

/** One answer that does not end. */
interface Exchange { readonly router: RouterNode; readonly life: number; readonly own: Incarnation; readonly source: EventSource; reader: ReadableStreamDefaultReader<Uint8Array> | undefined; over: boolean }

/** ms until it asks again when it was told nothing else. */
const AGAIN = 1_000;

/** A page that reads server-sent events of the real HTTP application, as a browser's EventSource does: it comes back behind what it had, until it is closed with its page. */
export class PageNode {
  readonly process: Process;
  readonly #options: PageNodeOptions;
  #own: Incarnation;
  #reading: RecordedReading | undefined;
  #exchange: Exchange | undefined;
  #lives = 0;
  #lastId = "";
  #retry = AGAIN;
  #closed = false;
  #hurries = false;

  constructor(process: Process, options: PageNodeOptions) {
    this.process = process;
    this.#options = options;
    this.#own = process.incarnation();
    this.start();
  }

  start(): void {
    if (this.#reading !== undefined || this.#closed) return;
    const { plan: { namespace, topics, from }, book } = this.#options;
    this.#own = this.process.incarnation();
    this.#lastId = "";
    this.#retry = AGAIN;
    this.#reading = book.reading(`${this.process.name}.${++this.#lives} stream`, namespace, from, ({ type, target }) => target === undefined && topics.some((pattern) => matchesPattern(pattern, type)));
    this.#ask();
  }

  heal(): void {
    this.#hurries = true;
    this.process.heal();
    this.start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#leave();
    this.process.kill();
  }

  /** A router's process has ended: its operating system says so. */
  hostDied(process: Process): void {
    if (this.#exchange?.router.process === process) this.#broken(this.#exchange);
  }

  #befall(fault: Fault, router: RouterNode): void {
    if (!fault.verdict.endsWith("client")) return router.befall(fault);
    if (fault.verdict === "pause client") return this.process.pause(fault.ms);
    this.#options.trace(`${this.process.name} is closed`);
    this.#leave();
    this.process.kill();
    this.process.post(fault.ms, () => this.start());
  }

  /** It is gone: the other side hears of that. */
  #leave(): void {
    if (this.#reading !== undefined) this.#reading.left = true;
    this.#reading = undefined;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange !== undefined) this.#hangUp(exchange);
  }

  #hangUp(exchange: Exchange): void {
    if (exchange.over) return;
    exchange.over = true;
    const { router, life, reader } = exchange;
    if (life === router.process.life) router.process.post(this.#latency(), () => void reader?.cancel().catch(() => {}));
  }

  #broken(exchange: Exchange): void {
    this.#hangUp(exchange);
    if (this.#exchange !== exchange) return;
    this.#exchange = undefined;
    this.#own.post(this.#retry + this.#latency(), () => this.#ask());
  }

  #ask(): void {
    const { random, routers, plan: { namespace, topics, from }, faults, trace } = this.#options;
    const own = this.#own;
    if (this.#reading === undefined || this.#exchange !== undefined) return;
    const router = random.one(routers);
    own.post(this.#latency(), () => {
      if (!router.isUp) return void own.post(AGAIN, () => this.#ask());
      const exchange: Exchange = { router, life: router.process.life, own, source: this.#source(), reader: undefined, over: false };
      this.#exchange = exchange;
      trace(`${this.process.name} asks ${router.process.name} ${this.#lastId}`);
      const query = new URLSearchParams({ namespace, topics: topics.join(","), from });
      const request = new Request(`http://router/api/v1/events/stream?${query.toString()}`, { headers: { "X-API-Key": this.process.name, Accept: "text/event-stream", ...(this.#lastId !== "" && { "Last-Event-ID": this.#lastId }) } });
      const fault = faults.take("sse:open");
      if (fault !== undefined) trace(`${this.process.name} FAULT ${fault.verdict} at ${fault.at}`);
      const late = fault?.verdict === "delay" ? fault.ms : 0;
      router.process.post(late, () => void router.fetch(request).then((response) => this.#answered(exchange, response), (error: unknown) => this.#options.violated(`${router.process.name} failed to answer: ${String(error)}`)));
      if (fault === undefined || fault.verdict === "delay") return;
      if (fault.verdict === "lose" || fault.verdict === "cut" || fault.verdict === "tear") this.#broken(exchange);
      else this.#befall(fault, router);
    });
  }

  #answered(exchange: Exchange, response: Response): void {
    const reader = response.body?.getReader();
    exchange.reader = reader;
    if (exchange.over) return void reader?.cancel().catch(() => {});
    if (response.status !== 200 || reader === undefined) {
      // An EventSource gives up; its application does not.
      void reader?.cancel().catch(() => {});
      this.#options.trace(`${this.process.name} is answered with ${response.status}`);
      if (![503, 504].includes(response.status)) this.#options.violated(`${this.process.name} is refused: ${response.status}`);
      return this.#broken(exchange);
    }
    this.#next(exchange, reader);
  }

  /** The connection takes one piece at a time: before that has come the next is not asked for. */
  #next(exchange: Exchange, reader: ReadableStreamDefaultReader<Uint8Array>): void {
    reader.read().then(({ done, value }) => {
      if (exchange.over || exchange.life !== exchange.router.process.life) return;
      if (done) return exchange.own.post(this.#latency(), () => this.#broken(exchange));
      return this.#carry(exchange, new TextDecoder().decode(value), () => this.#next(exchange, reader));
    }, (error: unknown) => this.#options.violated(`a stream of ${exchange.router.process.name} failed: ${String(error)}`));
  }

  #carry(exchange: Exchange, text: string, then: () => void): void {
    const { faults, trace } = this.#options;
    const step = stepOf(text);
    trace(`${this.process.name} ${exchange.router.process.name} sends ${step} ${text.length}`);
    const fault = faults.take(`sse:${step}`);
    if (fault !== undefined) trace(`${this.process.name} FAULT ${fault.verdict} at ${fault.at}`);
    const comes = (part: string, late = 0): void => void exchange.own.post(this.#latency() + late, () => {
      if (this.#exchange !== exchange) return;
      exchange.source.take(part);
      if (exchange.life === exchange.router.process.life) exchange.router.process.post(this.#latency() + (this.#hurries ? 0 : this.#options.plan.slow), then);
    });
    if (fault === undefined) return comes(text);
    switch (fault.verdict) {
      case "delay": return comes(text, fault.ms);
      case "lose": return this.#broken(exchange);
      case "tear": case "cut":
        exchange.source.take(fault.verdict === "cut" ? text : text.slice(0, Math.ceil(text.length * 0.6)));
        return this.#broken(exchange);
      default:
        if (fault.behind) comes(text);
        this.#befall(fault, exchange.router);
        if (!fault.behind) comes(text);
    }
  }

  #source(): EventSource {
    const reading = this.#reading!;
    return new EventSource({
      id: (id) => {
        this.#lastId = id;
        const [epoch, seq] = id.split(":");
        reading.began([epoch!, Number(seq)]);
      },
      retry: (ms) => { this.#retry = ms; },
      event: (type, data) => {
        if (type === "gap") {
          reading.gap(JSON.parse(data) as Gap);
          return;
        }
        if (type === "end") return this.#options.violated(`${this.process.name} is told that its stream is over: ${data}`);
        const event = JSON.parse(data) as RouterEvent;
        reading.see(sightingOf(event, event.epoch));
      },
    });
  }

  #latency(): number { return this.#options.random.skewed(...this.#options.latency); }
}

/** What a piece of a stream is about. */
function stepOf(text: string): "gap" | "data" | "id" | "retry" | "silence" {
  if (text.includes("event: gap\n")) return "gap";
  if (text.includes("data: ")) return "data";
  if (text.includes("id: ")) return "id";
  return text.startsWith("retry: ") ? "retry" : "silence";
}
