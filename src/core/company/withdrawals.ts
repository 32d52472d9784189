import type { EventRouterError } from "../errors.ts";
import { ROUTER } from "../ledger.ts";
import type { LogEvent } from "../log-event.ts";
import type { Policy, Withdrawal } from "../policy.ts";
import type { Draft, Log, Store } from "../store.ts";

/** No client can name it. */
const NAMESPACE = "$routers";
const TYPE = "$withdrawn";
const PAGE = { events: 512, size: 512 * 1024 };
/** Records beyond which those that say nothing more are cleared away. */
const MANY = 1_000;
/** ms until what could not be written is tried again. */
const AGAIN = 1_000;

export interface WithdrawalsOptions<P = Required<Pick<Policy, "withdraw" | "withdrawn">>> {
  readonly store: Store;
  readonly policy: P;
  now(): number;
  randomId(): string;
  /** `tick` is wanted by this time. */
  wakeBy(time: number): void;
  failed(error: unknown): void;
}

/** Undefined: nobody shares the store, or nothing can be taken back. */
export function withdrawalsOf({ policy, ...options }: WithdrawalsOptions<Policy>): Withdrawals | undefined {
  const { withdraw, withdrawn } = policy;
  if (options.store.shared !== true || withdraw === undefined || withdrawn === undefined) return undefined;
  return new Withdrawals({ ...options, policy: { withdraw: withdraw.bind(policy), withdrawn: withdrawn.bind(policy) } });
}

/**
 * What was taken back at one router, taken back at every router of a shared store: records in a log of its own, which all of them watch, and read before
 * they let anybody in. So a router that starts later knows of it, and one that outlives the log writes it down again.
 */
export class Withdrawals {
  readonly #options: WithdrawalsOptions;
  readonly #stop: () => void;
  /** As JSON: what holds. */
  readonly #lasting = new Set<string>();
  /** Of this router's operator, not yet written. */
  #unwritten: Withdrawal[] = [];
  #log: Promise<Log> | undefined;
  #unwatch = (): void => {};
  #writing: Promise<void> | undefined;
  #again: number | null = null;
  #closed = false;

  constructor(options: WithdrawalsOptions) {
    this.#options = options;
    this.#stop = options.policy.withdrawn((withdrawal) => {
      if (withdrawal.lasts) this.#lasting.add(JSON.stringify(withdrawal.what));
      this.#unwritten.push(withdrawal);
      this.#write();
    });
  }

  /** Resolves when all that was taken back before is known here. @throws what the store failed with; the next call tries again. */
  async ready(): Promise<void> {
    await this.#current();
  }

  async #current(): Promise<Log> {
    const opening = (this.#log ??= this.#open());
    try {
      return await opening;
    } catch (error) {
      // Another may have begun again meanwhile.
      if (this.#log === opening) this.#log = undefined;
      throw error;
    }
  }

  /** Writes what could not be written; returns when to come again. */
  tick(now: number): number | null {
    if (this.#again !== null && now >= this.#again) {
      this.#again = null;
      this.#write();
    }
    return this.#again;
  }

  /** Resolves when what is being written is. What could not be written so far is not tried again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop();
    await this.#writing;
    this.#unwatch();
  }

  async #open(): Promise<Log> {
    const log = await this.#options.store.open(NAMESPACE);
    const unwatch = log.watch((events) => this.#learn(events));
    try {
      const there = new Set<string>();
      let after = log.first - 1;
      for (let page; (page = await log.read(after, PAGE)).length > 0; after = page.at(-1)!.seq) {
        for (const { what, lasts } of this.#learn(page)) if (lasts) there.add(JSON.stringify(what));
      }
      // Of a log that was lost; and of one that holds little but old news, before it is cleared.
      const clears = log.extent.events > Math.max(MANY, 2 * there.size);
      const missing = [...this.#lasting].filter((what) => clears || !there.has(what)).map((what) => ({ what: JSON.parse(what) as unknown, lasts: true }));
      if (missing.length > 0) await this.#append(log, missing);
      this.#unwritten = this.#unwritten.filter(({ what, lasts }) => !lasts || !this.#lasting.has(JSON.stringify(what)));
      if (clears) await log.trim(after);
    } catch (error) {
      unwatch();
      throw error;
    }
    if (this.#closed) unwatch();
    else this.#unwatch = unwatch;
    void log.lost?.then((error) => this.#lost(error));
    return log;
  }

  /** What is said to the policy more than once changes nothing. */
  #learn(events: readonly LogEvent[]): Withdrawal[] {
    const learnt = events.filter(({ type }) => type === TYPE).map(({ payload }) => payload as Withdrawal);
    for (const { what, lasts } of learnt) {
      if (lasts) this.#lasting.add(JSON.stringify(what));
      try {
        this.#options.policy.withdraw(what);
      } catch (error) {
        this.#options.failed(error);
      }
    }
    return learnt;
  }

  #write(): void {
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      for (;;) {
        const log = await this.#current();
        const batch = this.#unwritten.slice(0, PAGE.events);
        // A log that was lost meanwhile is opened anew at once, and what lasts is written there.
        if (batch.length === 0 && this.#log !== undefined) return;
        await this.#append(log, batch);
        this.#unwritten = this.#unwritten.filter((one) => !batch.includes(one));
      }
    } catch (error) {
      this.#options.failed(error);
      if (!this.#closed) this.#options.wakeBy((this.#again = this.#options.now() + AGAIN));
    } finally {
      // In the turn in which nothing was left: what is taken back in the next one begins anew.
      this.#writing = undefined;
    }
  }

  async #append(log: Log, withdrawals: readonly Withdrawal[]): Promise<void> {
    for (let at = 0; at < withdrawals.length; at += PAGE.events) {
      const [outcomes = []] = await log.append([{ publisher: ROUTER, run: false, drafts: withdrawals.slice(at, at + PAGE.events).map((one) => this.#draft(one)) }]);
      for (const outcome of outcomes) if (outcome.state === "refused") throw outcome.error;
    }
  }

  #draft(withdrawal: Withdrawal): Draft {
    const id = this.#options.randomId();
    const time = this.#options.now();
    const head = `,${time},["${ROUTER}",0],`;
    return { id, type: TYPE, time, body: `${head}"${id}","${TYPE}",${JSON.stringify(withdrawal)}]`, own: head.length };
  }

  /** All that is known here goes into the next log at once: nobody may come in meanwhile who was thrown out. */
  #lost(error: EventRouterError): void {
    this.#unwatch();
    this.#log = undefined;
    if (this.#closed) return;
    this.#options.failed(error);
    this.#write();
  }
}
