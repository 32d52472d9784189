import { Deadlines } from "./deadlines.ts";
import type { Failure } from "./failure.ts";
import type { Histogram } from "./histogram.ts";
import type { LogEvent } from "./log-event.ts";
import type { Reader } from "./reader.ts";
import type { SavedJob } from "./saved-session.ts";

/** How a job ended. `lost`: its session went, or its time was over. */
export type Settlement =
  | { readonly state: "done" }
  /** `delay`: ms until it may be tried again, if the client asks for it; `final`: it must not be tried again. */
  | { readonly state: "failed"; readonly error: Failure; readonly delay?: number | undefined; readonly final?: boolean | undefined }
  | { readonly state: "lost"; readonly reason: "left" | "timeout" };

/** Whom a job is for, and who wants to know how it ends. */
export interface JobOwner {
  readonly reader: Reader;
  readonly sub: number;
  /** Called exactly once. */
  settled(settlement: Settlement): void;
  /** The client's handler is free again: with `settled`, or later if the job's time was over while the handler still ran. Called exactly once. */
  released(): void;
}

interface Job {
  readonly token: number;
  readonly owner: JobOwner;
  readonly seq: number;
  readonly attempt: number;
  readonly deadline: number;
  /** When it was given; unknown if the router has slept meanwhile. */
  readonly since?: number;
  expired: boolean;
}

/** Deadlines of settled jobs that may lie about. */
const SLACK = 1_024;

/**
 * Deliveries that are settled one by one: of groups, and of dead letters that are tried again. Each has a token of its own, never used again, so that a late
 * ack can never settle a newer attempt (I10).
 */
export class Jobs {
  readonly #now: () => number;
  readonly #deadlineSet: (at: number) => void;
  readonly #took: Histogram;
  readonly #mayGive: () => boolean;
  readonly #jobs = new Map<number, Job>();
  readonly #byReader = new Map<Reader, Map<number, Job>>();
  readonly #deadlines = new Deadlines<number>();
  lastToken = 0;
  /** Acks and nacks that came too late, or twice. */
  late = 0;

  /**
   * @param options.took counts how long each took that was acked or nacked
   * @param options.mayGive false for a router that stood still while another took its place: what it gave would be given twice
   */
  constructor(options: { now(): number; deadlineSet(at: number): void; took: Histogram; mayGive(): boolean }) {
    this.#mayGive = options.mayGive;
    this.#now = options.now;
    this.#took = options.took;
    this.#deadlineSet = options.deadlineSet;
  }

  get open(): number { return this.#jobs.size; }
  has(reader: Reader): boolean { return this.#byReader.has(reader); }
  /** When `expire` is next needed. */
  get due(): number | null { return this.#deadlines.next; }

  /** @param timeout ms until it counts as lost */
  give(owner: JobOwner, event: LogEvent, attempt: number, timeout: number): void {
    if (!this.#mayGive()) return;
    const token = ++this.lastToken;
    const since = this.#now();
    this.#add({ token, owner, seq: event.seq, attempt, since, deadline: since + timeout, expired: false });
    owner.reader.tell(`["job",${owner.sub},${token},${attempt},${event.line}]`);
  }

  /** What a reader has, for a router that goes to sleep. */
  save(reader: Reader): SavedJob[] {
    return [...this.#byReader.get(reader)?.values() ?? []].map(({ token, owner, seq, attempt, deadline, expired }) => [owner.sub, token, seq, attempt, expired ? 0 : deadline]);
  }

  /** A job that was given before the router slept. */
  restore(owner: JobOwner, { seq }: LogEvent, [, token, , attempt, deadline]: SavedJob): void {
    this.#add({ token, owner, seq, attempt, deadline, expired: false });
  }

  /** Tokens go on behind those of before the sleep. */
  resume(lastToken: number): void {
    this.lastToken = Math.max(this.lastToken, lastToken);
  }

  #add(job: Job): void {
    const { token, deadline, owner: { reader } } = job;
    this.#jobs.set(token, job);
    const own = this.#byReader.get(reader);
    if (own === undefined) this.#byReader.set(reader, new Map([[token, job]]));
    else own.set(token, job);
    if (this.#deadlines.size > 2 * this.#jobs.size + SLACK) this.#deadlines.keep((one) => this.#jobs.get(one)?.expired === false);
    this.#deadlines.add(deadline, token);
    this.#deadlineSet(deadline);
  }

  /** A client tells how a job of its ended; what is not open any more is counted and otherwise nothing. */
  settle(reader: Reader, sub: number, token: number, settlement: Settlement): void {
    const job = this.#jobs.get(token);
    if (job?.owner.reader !== reader || job.owner.sub !== sub) {
      this.late++;
      return;
    }
    this.#remove(job);
    if (job.since !== undefined) this.#took.observe(this.#now() - job.since);
    if (job.expired) this.late++;
    else job.owner.settled(settlement);
    job.owner.released();
  }

  /** A subscription has ended, or its whole session: what it had is lost at once, not only when its time is over. @param keeping tokens of what it still finishes */
  leave(reader: Reader, sub?: number, keeping?: ReadonlySet<number>): void {
    for (const job of Array.from(this.#byReader.get(reader)?.values() ?? [])) {
      if ((sub !== undefined && job.owner.sub !== sub) || keeping?.has(job.token) === true) continue;
      this.#remove(job);
      if (!job.expired) job.owner.settled({ state: "lost", reason: "left" });
      job.owner.released();
    }
  }

  expire(now: number): void {
    for (let token = this.#deadlines.take(now); token !== undefined; token = this.#deadlines.take(now)) {
      const job = this.#jobs.get(token);
      if (job === undefined || job.expired) continue;
      // Its handler still runs, perhaps for ever: nothing more is given to it in its place.
      job.expired = true;
      job.owner.settled({ state: "lost", reason: "timeout" });
    }
  }

  #remove({ token, owner: { reader } }: Job): void {
    this.#jobs.delete(token);
    const own = this.#byReader.get(reader)!;
    own.delete(token);
    if (own.size === 0) this.#byReader.delete(reader);
  }
}
