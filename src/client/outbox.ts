import type { Clock } from "../core/clock.ts";
import { ConnectionError, fromWire, PublishError, TimeoutError, ValidationError, type EventRouterError, type WireError } from "../core/errors.ts";
import type { PublishMode, PublishResult, Welcome, WireLimits } from "../core/frames.ts";
import { timestamps } from "../core/line.ts";
import { Alarm } from "./alarm.ts";
import type { Part } from "./connection.ts";
import type { Terms } from "./receipt.ts";

/** Events that stand or fall together, on their way; mostly one. */
export interface Publication {
  /** Their lines, joined by "\n". */
  readonly text: string;
  readonly count: number;
  readonly as: NonNullable<PublishMode["as"]>;
  /** The ids are the running numbers of this connection. */
  readonly run: boolean;
  /** The frame ends behind it: a full window of `batchSize`. */
  last?: boolean;
  /** ms since 1970. */
  readonly deadline: number;
  /** One result for each event, from `first` on. None of them is an error. */
  accept(results: readonly Accepted[], first: number, time: number, terms: Terms): void;
  reject(error: unknown): void;
  /** Answered, or given up. */
  settled?: boolean;
}

export type Accepted = Exclude<PublishResult, WireError>;

/** UTF-16 units of lines in one frame: far below the limit of a message, and enough to make its cost disappear. */
const FRAME_SIZE = 64 * 1024;

/** Publishes that are not answered yet. After a cut they are sent again in their order, with the same ids, before any new one (P1, P3). */
export class Outbox implements Part {
  readonly #nextReq: () => number;
  readonly #wake: () => void;
  readonly #most: number;
  readonly #alarm: Alarm;
  readonly #lastError: () => unknown;
  #waiting: Publication[] = [];
  readonly #sent = new Map<number, readonly Publication[]>();
  #events = 0;
  #terms: (Terms & { readonly limits: WireLimits }) | undefined;
  #idle: (() => void)[] = [];

  constructor(options: { clock: Clock; most: number; nextReq(): number; wake(): void; lastError(): unknown }) {
    this.#most = options.most;
    this.#nextReq = options.nextReq;
    this.#wake = options.wake;
    this.#lastError = options.lastError;
    this.#alarm = new Alarm(options.clock, (now) => this.#expire(now));
  }

  /** Events that wait for their answer. */
  get size(): number { return this.#events; }

  add(one: Publication): void {
    if (this.#events + one.count > this.#most) {
      return one.reject(new PublishError("ERR_BUSY", `${this.#events} events wait for the router's answer, no more are kept; await publish(), or raise "maxPending"`, { retryable: true }));
    }
    this.#events += one.count;
    this.#waiting.push(one);
    this.#alarm.set(one.deadline);
    this.#wake();
  }

  /** The caller no longer waits: it is not sent again, but may have arrived. */
  abandon(one: Publication, reason: unknown): void {
    if (this.#settle(one)) one.reject(reason);
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    if (this.#events > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  opened({ limits, epoch, durability }: Welcome): void {
    this.#terms = { limits, epoch, durability, timestamp: timestamps() };
  }

  write(put: (frame: string) => void): void {
    if (this.#waiting.length === 0) return;
    const { batch, frame } = this.#terms!.limits;
    const size = Math.min(FRAME_SIZE, frame / 4);
    let group: Publication[] = [];
    let text = "";
    let count = 0;
    const end = (): void => {
      if (group.length === 0) return;
      const [{ as, run }] = group as [Publication];
      const req = this.#nextReq();
      this.#sent.set(req, group);
      put(`["pub",${req},${count},{"as":"${as}"${run ? ',"run":1' : ""}}]${text}`);
      group = [];
      text = "";
      count = 0;
    };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (one.settled === true || this.#tooLarge(one)) continue;
      const before = group[0];
      if (before !== undefined && (one.as === "all" || one.as !== before.as || one.run !== before.run || count >= batch || text.length + one.text.length > size)) end();
      group.push(one);
      text += `\n${one.text}`;
      count += one.count;
      if (one.last === true || one.as === "all") end();
    }
    end();
  }

  #tooLarge(one: Publication): boolean {
    const { frame, payload, batch } = this.#terms!.limits;
    const { text, count } = one;
    let over: readonly [code: string, what: string, most: string] | undefined;
    if (count > batch) over = ["ERR_BATCH_TOO_LARGE", "a batch or transaction", `${batch} events`];
    // A UTF-16 unit is at most three bytes: only a text near a limit need be counted.
    else if (text.length * 3 > payload) {
      if (bytes(text) > frame - 64) over = ["ERR_BATCH_TOO_LARGE", "what is published at once", `${frame} bytes`];
      for (const line of text.split("\n")) if (line.length * 3 > payload && bytes(JSON.stringify((JSON.parse(line) as unknown[])[2])) > payload) over = ["ERR_PAYLOAD_TOO_LARGE", "a payload", `${payload} bytes of JSON`];
    }
    if (over !== undefined) this.abandon(one, new ValidationError(over[0], `${over[1]} may have ${over[2]}; publish less at once`));
    return over !== undefined;
  }

  /** The router's answer to a `pub` frame. */
  answered(req: number, time: number, results: readonly PublishResult[]): void {
    const group = this.#take(req);
    let first = 0;
    for (const one of group) {
      const own = one.count === 1 ? results[first] : results.slice(first, first + one.count).find(isError);
      if (this.#settle(one)) {
        if (own !== undefined && isError(own)) one.reject(fromWire(own));
        else one.accept(results as readonly Accepted[], first, time, this.#terms!);
      }
      first += one.count;
    }
  }

  /** The router refused a `pub` frame whole; false if there was no such. */
  refused(req: number, error: WireError): boolean {
    const group = this.#take(req);
    for (const one of group) if (this.#settle(one)) one.reject(fromWire(error));
    return group.length > 0;
  }

  lost(error: ConnectionError): void {
    const again: Publication[] = [];
    for (const group of this.#sent.values()) {
      for (const one of group) {
        // At most once: an ephemeral event that may have arrived is not sent again.
        if (one.as === "ephemeral") this.abandon(one, error);
        else if (one.settled !== true) again.push(one);
      }
    }
    this.#sent.clear();
    this.#waiting = [...again, ...this.#waiting];
  }

  failed(error: EventRouterError): void {
    const all = [...[...this.#sent.values()].flat(), ...this.#waiting];
    this.#sent.clear();
    this.#waiting = [];
    for (const one of all) this.abandon(one, error);
  }

  #take(req: number): readonly Publication[] {
    const group = this.#sent.get(req);
    this.#sent.delete(req);
    return group ?? [];
  }

  #settle(one: Publication): boolean {
    if (one.settled === true) return false;
    one.settled = true;
    this.#events -= one.count;
    if (this.#events === 0) {
      this.#alarm.off();
      for (const resolve of this.#idle.splice(0)) resolve();
    }
    return true;
  }

  #expire(now: number): number {
    let next = Infinity;
    for (const one of [...[...this.#sent.values()].flat(), ...this.#waiting]) {
      if (one.settled === true) continue;
      if (one.deadline > now) next = Math.min(next, one.deadline);
      else this.abandon(one, new TimeoutError("ERR_TIMEOUT", `the router did not acknowledge in time; whether the event is stored is unknown. Publishing it again with the same id cannot store it twice`, { retryable: true, cause: this.#lastError(), details: { ids: idsOf(one) } }));
    }
    this.#waiting = this.#waiting.filter((one) => one.settled !== true);
    return next;
  }
}

const isError = (result: PublishResult): result is WireError => typeof result === "object" && typeof result[0] === "string";

const bytes = (text: string): number => new TextEncoder().encode(text).length;

function idsOf({ text }: Publication): string[] {
  return text.split("\n").map((line) => (JSON.parse(line) as [string])[0]);
}
