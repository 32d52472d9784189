import { ConnectionError, fromWire, PublishError, type EventRouterError, type WireError } from "../core/errors.ts";
import type { PublishMode, PublishResult, RouterFrame } from "../core/frames.ts";
import { timestamps } from "../core/line.ts";
import type { Link } from "../core/link.ts";
import { Alarm } from "./alarm.ts";
import type { Connection, Part } from "./connection.ts";
import type { EventText } from "./encode-event.ts";
import { Later } from "./later.ts";
import { receiptOf, type Receipt } from "./receipt.ts";
import { timeoutError } from "./wait.ts";

/** An event as it travels. */
export interface OutgoingEvent {
  readonly id: string;
  readonly type: string;
  readonly text: EventText;
  /** Encryption makes it anew, before it leaves. */
  line: string;
  /** The id is a running number of this connection, not the caller's. */
  readonly own: boolean;
}

/** Events that stand or fall together, on their way; mostly one. */
export interface Publication {
  readonly events: readonly OutgoingEvent[];
  readonly as: NonNullable<PublishMode["as"]>;
  readonly terms: Omit<PublishMode, "as" | "run">;
  /** Whether the ids are all running numbers. */
  readonly run: boolean;
  /** ms since 1970. */
  readonly deadline: number;
  /** Absent: nobody asks for receipts. */
  readonly resolve: ((receipts: Receipt[]) => void) | undefined;
  reject(error: unknown): void;
  /** Called when nobody waits any more. */
  readonly release: (() => void) | undefined;
  /** The frame ends behind it: a full window of `batchSize`. */
  last: boolean;
  /** It was sent, and may have arrived. */
  sent: boolean;
  settled: boolean;
  /** Its lines are as they will travel. */
  sealed?: boolean;
}

/** UTF-16 units of lines in one frame: far below the limit of a message, and enough to make its cost disappear. */
const FRAME_SIZE = 64 * 1024;

/** Publishes that are not answered yet. After a cut they are sent again in their order, with the same ids, before any new one (P1, P3). */
export class Outbox implements Part {
  readonly #connection: Connection;
  readonly #most: number;
  readonly #alarm: Alarm;
  readonly #timestamp = timestamps();
  readonly #sizes = new Later(() => import("./too-large.ts"));
  #waiting: Publication[] = [];
  readonly #sent = new Map<number, readonly Publication[]>();
  #size = 0;
  #idle: (() => void)[] = [];

  /** @param most events that may wait for their answer */
  constructor(connection: Connection, most: number) {
    this.#connection = connection;
    this.#most = most;
    this.#alarm = new Alarm(connection.clock, (now) => this.#expire(now));
  }

  add(one: Publication): void {
    if (this.#size + one.events.length > this.#most) return one.reject(new PublishError("ERR_BUSY", `${this.#size} events wait for a receipt; await publish(), or raise "maxPending"`, { retryable: true }));
    this.#size += one.events.length;
    this.#waiting.push(one);
    this.#alarm.set(one.deadline);
    this.#connection.wake();
  }

  /** The caller no longer waits: it is not sent again, but may have arrived. */
  abandon(one: Publication, reason: unknown): void {
    if (this.#settle(one)) one.reject(reason);
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    if (this.#size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  write(put: (frame: string) => void, link: Link): void {
    const { limits } = this.#connection.welcome!;
    let group: Publication[] = [];
    let said: OutgoingEvent[] = [];
    let text = "";
    const end = (): void => {
      const [first] = group;
      if (first === undefined) return;
      const req = this.#connection.next();
      this.#sent.set(req, group);
      for (const one of group) one.sent = true;
      link.know?.(said);
      put(`${JSON.stringify(["pub", req, said.length, { as: first.as, run: first.run ? 1 : undefined, ...first.terms }])}${text}`);
      group = [];
      said = [];
      text = "";
    };
    for (const one of this.#waiting.splice(0)) {
      // Encryption may take its time, and then what follows waits too: a publisher's events keep their order (P3).
      const sealed = this.#connection.vault?.seal(one, (error) => (error === undefined ? this.#connection.wake() : this.abandon(one, error))) ?? true;
      if (one.settled) continue;
      if (!sealed || this.#waiting.length > 0) {
        this.#waiting.push(one);
        continue;
      }
      const { events, as, run } = one;
      let lines = "";
      for (const { line } of events) lines += `\n${line}`;
      // The router would end the session over what is beyond its limits. A UTF-16 unit is at most three bytes: only a text near a limit need be counted.
      if (events.length > limits.batch || lines.length * 3 > limits.payload) {
        const { part } = this.#sizes;
        if (part === undefined) {
          this.#waiting.push(one);
          void this.#sizes.use(() => {}).catch((error: unknown) => this.abandon(one, error)).then(() => this.#connection.wake());
          continue;
        }
        const error = part.tooLarge(one, lines, limits);
        if (error !== undefined) {
          this.abandon(one, error);
          continue;
        }
      }
      const [first] = group;
      if (as === "all" || as === "later" || as !== first?.as || run !== first.run || said.length >= limits.batch || text.length + lines.length > FRAME_SIZE) end();
      group.push(one);
      text += lines;
      said.push(...events);
      if (one.last || as === "all") end();
    }
    end();
  }

  receive(frame: RouterFrame): boolean {
    if (frame[0] !== "pub" && frame[0] !== "err") return false;
    const group = this.#sent.get(frame[1]);
    if (group === undefined) return false;
    this.#sent.delete(frame[1]);
    let start = 0;
    for (const one of group) {
      const at = start;
      const results = frame[0] === "pub" ? frame[3].slice(at, (start += one.events.length)) : [frame[2]];
      if (!this.#settle(one)) continue;
      const error = results.find(isError);
      if (error !== undefined) one.reject(fromWire(error));
      else one.resolve?.(one.events.map((event, i) => receiptOf(event, results[i] as Exclude<PublishResult, WireError>, this.#timestamp(frame[2] as number), one.as === "later", this.#connection.welcome!, (frame[4] as readonly number[] | undefined)?.[at + i])));
    }
    return true;
  }

  down(error: EventRouterError, final: boolean): void {
    const sent = [...this.#sent.values()].flat();
    // At most once: an ephemeral event that may have arrived is not sent again.
    // What was sent before a connection ended for good may be stored: whatever ended it, that is no word on the event (P1).
    for (const one of final ? [...sent, ...this.#waiting] : sent) if (final || one.as === "ephemeral") this.abandon(one, final && one.sent ? new ConnectionError("ERR_CONNECTION_LOST", `the connection ended before the receipt; ${UNKNOWN}`, { retryable: true, cause: error, details: idsOf(one) }) : error);
    this.#sent.clear();
    this.#waiting = [...sent, ...this.#waiting].filter(({ settled }) => !settled);
  }

  #settle(one: Publication): boolean {
    if (one.settled) return false;
    one.settled = true;
    one.release?.();
    this.#size -= one.events.length;
    if (this.#size === 0) {
      this.#alarm.off();
      for (const resolve of this.#idle.splice(0)) resolve();
    }
    return true;
  }

  #expire(now: number): number {
    let next = Infinity;
    for (const one of [...[...this.#sent.values()].flat(), ...this.#waiting]) {
      if (one.settled) continue;
      if (one.deadline > now) next = Math.min(next, one.deadline);
      else this.abandon(one, timeoutError(`no receipt in time; ${UNKNOWN}`, this.#connection, idsOf(one)));
    }
    return next;
  }
}

const UNKNOWN = "it may be stored; publishing it again with its id cannot store it twice";
const idsOf = ({ events }: Publication): { readonly ids: readonly string[] } => ({ ids: events.map(({ id }) => id) });

const isError = (result: PublishResult): result is WireError => typeof result === "object" && typeof result[0] === "string";
