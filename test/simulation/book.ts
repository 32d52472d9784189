import { EventRouterError } from "../../src/core/errors.ts";
import type { From, Gap } from "../../src/core/frames.ts";
import type { Receipt } from "../../src/client/receipt.ts";
import type { Attempt, Question, Reading, Sighting } from "../support/history.ts";
import { RecordedCrew } from "./crew.ts";
import type { GROUPS, Standing } from "./plan.ts";
import type { Truth } from "./truth.ts";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A reading that grows. */
export class RecordedReading implements Reading {
  readonly name: string;
  readonly namespace: string;
  readonly seen: (Sighting | Gap)[] = [];
  once = true;
  readonly wants: (event: Sighting) => boolean;
  /** Nothing is owed before the router has it. */
  after = Infinity;
  epoch: string | undefined;
  /** What it comes from, once it is there; the router may end it. */
  feed: { readonly over: unknown } | undefined;
  #left = false;
  /** It has unsubscribed: nothing may come any more. */
  over = false;
  readonly #from: Standing["from"];
  readonly #book: Book;

  constructor(name: string, namespace: string, from: Standing["from"], wants: (event: Sighting) => boolean, book: Book) {
    this.name = name;
    this.namespace = namespace;
    this.wants = wants;
    this.#from = from;
    this.#book = book;
  }

  get left(): boolean { return this.#left || (this.feed !== undefined && this.feed.over !== undefined); }
  set left(left: boolean) { this.#left = left; }

  /** The router has it. What is committed from now on is owed, or what was there if that was asked for. @param at where the client now stands */
  began(at: From | undefined): void {
    if (this.after !== Infinity) return;
    const { truth, violated } = this.#book;
    if (!Array.isArray(at)) return violated(`I6 ${this.name} is ready and has no position`);
    const [epoch, seq] = at as [string, number];
    this.epoch = epoch;
    const trimmed = truth.trimmedTo(this.namespace, epoch);
    const from = this.#from;
    // Of a time, clocks may have their own opinion.
    this.after = from === "start" ? trimmed : typeof from === "object" && "seq" in from ? Math.min(Math.max(trimmed, from.seq - 1), seq) : seq;
    if (seq > truth.head(this.namespace, epoch)) violated(`I6 ${this.name} begins behind seq ${seq}, which is not there`);
  }

  see(event: Sighting): undefined {
    this.#book.trace(`${this.name} sees ${event.seq} ${event.id}`);
    if (this.over) this.#book.violated(`I2 ${this.name} has unsubscribed and is given seq ${event.seq}`);
    this.#book.seen++;
    this.seen.push(event);
    return undefined;
  }

  gap(gap: Gap): void {
    this.#book.trace(`${this.name} gap ${JSON.stringify(gap)}`);
    this.#book.seen++;
    this.seen.push(gap);
  }
}

/** What applications came to know, written down as it happens. */
export class Book {
  readonly truth: Truth;
  readonly trace: (line: string) => void;
  readonly violated: (what: string) => void;
  readonly attempts: Writable<Attempt>[] = [];
  readonly readings: RecordedReading[] = [];
  readonly questions: Question[] = [];
  readonly crews: RecordedCrew[] = [];
  readonly #kept = new Map<string, RecordedReading>();
  /** Publishers that promise no order. */
  readonly unordered = new Set<string>();
  readonly #numbers = new Map<string, number>();
  readonly #carriedOut = new Map<string, number>();
  #transactions = 0;
  /** Events and gaps that came to anybody. */
  seen = 0;

  constructor(truth: Truth, trace: (line: string) => void, violated: (what: string) => void) {
    this.truth = truth;
    this.trace = trace;
    this.violated = violated;
  }

  /** The publisher's next event. */
  attempt(publisher: string, { transaction, ephemeral = false, later = false }: { transaction?: string; ephemeral?: boolean; later?: boolean } = {}): Writable<Attempt> {
    const number = (this.#numbers.get(publisher) ?? 0) + 1;
    this.#numbers.set(publisher, number);
    return this.#add({ publisher, number, ...(transaction !== undefined && { transaction }), ...(ephemeral && { ephemeral }), ...(later && { later }), fate: { state: "unknown" } });
  }

  /** An event that may have been tried before. */
  again(publisher: string, number: number, later = false): Writable<Attempt> {
    return this.#add({ publisher, number, ...(later && { later }), fate: { state: "unknown" } });
  }

  of(publisher: string, number: number): Writable<Attempt> {
    return this.attempts.find((one) => one.publisher === publisher && one.number === number)!;
  }

  transaction(): string { return `transaction ${++this.#transactions}`; }

  acked(attempt: Writable<Attempt>, { id, epoch, seq }: Receipt): void {
    this.trace(`${attempt.publisher} #${attempt.number} is acked ${seq}`);
    attempt.fate = { state: "acked", id, epoch, seq };
  }

  /** P1: an error that says that trying again is no use is a promise that the event is not stored. Any other says nothing. */
  failed(attempts: readonly Writable<Attempt>[], error: unknown): void {
    if (!(error instanceof EventRouterError) || error.retryable) return;
    for (const attempt of attempts) {
      this.trace(`${attempt.publisher} #${attempt.number} has failed: ${error.code}`);
      attempt.fate = { state: "failed" };
    }
  }

  reading(name: string, namespace: string, from: Standing["from"], wants: (event: Sighting) => boolean): RecordedReading {
    const reading = new RecordedReading(`${name} (${this.readings.length})`, namespace, from, wants, this);
    this.readings.push(reading);
    return reading;
  }

  /** The reading of a name that outlives processes. */
  kept(name: string, namespace: string, wants: (event: Sighting) => boolean): RecordedReading {
    let reading = this.#kept.get(name);
    if (reading === undefined) {
      reading = this.reading(name, namespace, "start", wants);
      reading.once = false;
      this.#kept.set(name, reading);
    }
    return reading;
  }

  crew(namespace: string, group: (typeof GROUPS)[number]): RecordedCrew {
    let crew = this.crews.find((one) => one.namespace === namespace && one.group === group);
    if (crew === undefined) this.crews.push((crew = new RecordedCrew(namespace, group, this.truth)));
    return crew;
  }

  question(): { readonly key: string; answered(to: string): void } {
    const key = `q${this.questions.length}`;
    const answers: string[] = [];
    const carriedOut = (): number => this.#carriedOut.get(key) ?? 0;
    this.questions.push({ key, answers, get carriedOut() { return carriedOut(); } });
    return { key, answered: (to) => void answers.push(to) };
  }

  carriedOut(key: string): void {
    this.#carriedOut.set(key, (this.#carriedOut.get(key) ?? 0) + 1);
  }

  #add(attempt: Writable<Attempt>): Writable<Attempt> {
    this.attempts.push(attempt);
    return attempt;
  }
}
