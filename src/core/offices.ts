import type { LogEvent } from "./log-event.ts";
import { Office, type OfficeOptions } from "./office.ts";
import type { Lead } from "./peers.ts";

export interface OfficesOptions {
  readonly office: OfficeOptions;
  /** Whether other routers share the log; then this one's first office is closed. */
  readonly shared: boolean;
  /** The last seq that was reported here. */
  head(): number;
  /** A failure of an office under this token. */
  failed(token: number, error: unknown): void;
}

/** A namespace's office at this router, from one lead to the next. */
export class Offices {
  readonly #options: OfficesOptions;
  #now: Office;
  /** That of a lead which begins. */
  #coming: Office | undefined;
  /** Who waits until so much of the log was reported. */
  #arrivals: { readonly head: number; resolve(): void }[] = [];

  constructor(options: OfficesOptions) {
    this.#options = options;
    this.#now = new Office(options.shared ? 0 : undefined, options.office);
  }

  get now(): Office { return this.#now; }

  /** What was reported, by whomever it was appended. */
  appended(events: readonly LogEvent[], leads: boolean): void {
    if (leads) {
      this.#now.work.appended(events);
      this.#now.appended();
    }
    this.#coming?.work.appended(events);
    const head = this.#options.head();
    const arrived = this.#arrivals.filter((one) => one.head <= head);
    if (arrived.length === 0) return;
    this.#arrivals = this.#arrivals.filter((one) => one.head > head);
    for (const { resolve } of arrived) resolve();
  }

  /** This router leads from now on: goes on with what the one before has written down. */
  async begin({ token, head }: Lead): Promise<void> {
    const office = new Office(token, { ...this.#options.office, failed: (error) => this.#options.failed(token, error) });
    this.#coming = office;
    // Places that were noted by others are in what was reported here, or would be taken for places behind the end.
    if (this.#options.head() < head) await new Promise<void>((resolve) => this.#arrivals.push({ head, resolve }));
    if (this.#coming === office) await office.work.load();
    if (this.#coming !== office) return;
    this.#coming = undefined;
    this.#now = office;
  }

  /** Another leads. Returns the office that was, which is closed when its sessions know. */
  end(): Office {
    this.#coming = undefined;
    for (const { resolve } of this.#arrivals.splice(0)) resolve();
    const before = this.#now;
    this.#now = new Office(0, this.#options.office);
    return before;
  }
}
