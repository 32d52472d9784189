import type { Appender } from "./appender.ts";
import type { Log } from "./store.ts";
import { fenced, fencedAppender } from "./company/fenced.ts";
import { Requests } from "./requests.ts";
import { Retention, type RetentionPolicy } from "./retention.ts";
import { Work, type WorkOptions } from "./work.ts";

/** Numbers that one leader may give out. */
const NUMBERS = 2 ** 32;

export interface OfficeOptions extends Omit<WorkOptions, "base" | "mayGive" | "appender"> {
  readonly appender: Appender;
  readonly retention: RetentionPolicy;
  /** Whether this router leads still. */
  holds(): boolean;
}

/**
 * What takes one mind for a namespace: work that outlives sessions, requests, and what the log keeps. Where several routers share the log only the leader's is
 * open; what it writes carries the token of its lead, and another one is made with the next.
 */
export class Office {
  /** The token of its lead; undefined: there are no others. 0: it is closed, and writes nothing but dead letters. */
  readonly lead: number | undefined;
  readonly work: Work;
  readonly requests: Requests;
  readonly #retention: Retention;

  constructor(lead: number | undefined, options: OfficeOptions) {
    const { surroundings: { now }, wakeBy, measures, failed, holds } = options;
    const base = lead === undefined || lead === 0 ? 0 : (lead - 1) * NUMBERS;
    const log: Log = lead === undefined ? options.log : fenced(options.log, lead);
    this.lead = lead;
    this.requests = new Requests({ now, deadlineSet: wakeBy, took: measures.request });
    this.requests.resume(base);
    this.work = new Work({ ...options, log, base, mayGive: holds, ...(lead !== undefined && lead > 0 && { appender: fencedAppender(options.appender, lead) }) });
    this.#retention = new Retention(log, options.retention, failed, (upTo) => this.work.carry(upTo));
  }

  /** After each commit. */
  appended(): void { this.#retention.appended(); }

  tick(now: number): number | null {
    this.requests.expire(now);
    const due = [this.requests.due, this.#retention.tick(now), this.work.tick(now)].filter((time) => time !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Somebody else leads now. */
  leave(): void { this.work.leave(); }
}
