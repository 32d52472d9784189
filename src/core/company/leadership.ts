import type { EventRouterError } from "../errors.ts";
import { isLeadLost, type Lead, type Peers } from "../peers.ts";

/** ms that a leader has until it must have renewed its lease. What dies is replaced within it, and a moment for the next to begin its work. */
export const LEASE = 5_000;
/** ms between two renewals, and until a claim that failed is made again. */
const RENEW = 1_500;
const AGAIN = 500;
/** ms behind the end of another's lease. */
const BEHIND = 30;

export type Standing =
  /** Not known yet who leads, or not any more. */
  | { readonly state: "unknown" }
  | { readonly state: "follows"; readonly leader: string; readonly token: number }
  /** It has the lead, and prepares its work. `until`: of the stopwatch. */
  | { readonly state: "begins"; readonly token: number; readonly until: number }
  | { readonly state: "leads"; readonly token: number; readonly until: number }
  | { readonly state: "closed" };

export interface LeadershipOptions {
  readonly peers: Peers;
  /** A stopwatch: a clock that is set back must not make a lease longer. */
  elapsed(): number;
  /** It is to lead: resolves when it can work. */
  begin(lead: Lead): Promise<void>;
  /** It led, or began to, and does not any more. */
  lost(): void;
  /** Somebody else leads than before, or this router does now. */
  changed(standing: Standing): void;
  /** `tick` is wanted after so many ms. */
  wakeIn(ms: number): void;
  failed(error: unknown): void;
}

/** Who leads a namespace: claims the lead when nobody has it, keeps it while this router lives, and knows when it is over. */
export class Leadership {
  readonly #options: LeadershipOptions;
  #standing: Standing = { state: "unknown" };
  #claiming: Promise<void> | undefined;
  /** When to claim next, by the stopwatch; null: not by itself. */
  #next: number | null = 0;
  /** The newest lead that it has let go of: what is still under way under its token must be refused, so it takes another. */
  #dropped = 0;
  /** One that the store may still take for its own. */
  #owed: number | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  get standing(): Standing { return this.#standing; }
  get token(): number | undefined { return "token" in this.#standing ? this.#standing.token : undefined; }

  /** Whether it leads now. One that stood still past its lease finds out here, before it does anything. */
  holds(): boolean {
    this.#check();
    return this.#standing.state === "leads";
  }

  /** Claims now; resolves when it is known who leads, or that this cannot be known now. */
  claim(): Promise<void> {
    return (this.#claiming ??= this.#claim().finally(() => { this.#claiming = undefined; }));
  }

  /** Another router says that it leads. */
  heard(leader: string, token: number): void {
    if (token > (this.token ?? this.#dropped)) this.#follow({ leader, token, ms: LEASE, head: 0 });
  }

  /** Whoever led has given it back, or is not heard of any more. */
  vacant(): void {
    if (this.#standing.state === "closed") return;
    this.#next = this.#options.elapsed();
    this.#options.wakeIn(0);
  }

  /** A store has refused this token. */
  refused(token: number | undefined): void {
    if (token !== undefined && this.token === token && this.#standing.state !== "follows") this.#drop();
  }

  /** Returns after how many ms to come again; null: not by itself. */
  tick(): number | null {
    this.#check();
    const elapsed = this.#options.elapsed();
    if (this.#next !== null && elapsed >= this.#next && this.#claiming === undefined) void this.claim();
    const due = [this.#claiming === undefined ? this.#next : null, "until" in this.#standing && this.#standing.until !== Infinity ? this.#standing.until : null].filter((one) => one !== null);
    // A part of a ms would be lost in what it is added to, and it would be asked for again at once, for ever.
    return due.length === 0 ? null : Math.max(0, Math.ceil(Math.min(...due) - elapsed));
  }

  /** Gives the lead back, if it has it: what was to be written is written. */
  async close(): Promise<void> {
    const { token } = this;
    const had = this.#standing.state === "leads" || this.#standing.state === "begins";
    this.#standing = { state: "closed" };
    this.#next = null;
    // What is being claimed would be kept for nobody.
    await this.#claiming?.catch(() => {});
    if (had && token !== undefined) await this.#options.peers.release(token).catch((error: unknown) => this.#options.failed(error));
  }

  #check(): void {
    if ("until" in this.#standing && this.#options.elapsed() >= this.#standing.until) this.#drop();
  }

  /** It leads no more, whatever the store thinks. */
  #drop(): void {
    this.#forget();
    this.#standing = { state: "unknown" };
    this.#next = this.#options.elapsed();
    this.#options.lost();
    this.#options.changed(this.#standing);
    this.#options.wakeIn(0);
  }

  #forget(): void {
    this.#owed = this.token;
    this.#dropped = Math.max(this.#dropped, this.token ?? 0);
  }

  async #claim(): Promise<void> {
    const { peers, elapsed, failed, wakeIn } = this.#options;
    const asked = elapsed();
    this.#next = null;
    try {
      // Under this token nothing more must be written: the next one begins with what is there.
      if (this.#owed !== undefined) await peers.release(this.#owed);
      this.#owed = undefined;
      const lead = await peers.claim(LEASE);
      if (this.#standing.state === "closed") await this.#giveBack(lead);
      else if (lead.leader === peers.self) await this.#take(lead, asked);
      else this.#follow(lead);
    } catch (error) {
      this.#next = elapsed() + AGAIN;
      failed(error);
    }
    if (this.#next !== null) wakeIn(Math.max(0, (this.#next as number) - elapsed()));
  }

  #giveBack({ leader, token }: Lead): Promise<void> {
    return leader === this.#options.peers.self ? this.#options.peers.release(token) : Promise.resolve();
  }

  async #take(lead: Lead, asked: number): Promise<void> {
    const { begin, changed, elapsed } = this.#options;
    const { token, ms } = lead;
    this.#check();
    const until = ms === Infinity ? Infinity : asked + Math.min(ms, LEASE);
    this.#next = ms === Infinity ? null : asked + RENEW;
    const { state } = this.#standing;
    if (token <= this.#dropped) {
      // Let go of while this claim was under way: unless it is given back, it is all that the store will answer.
      this.#owed = token;
      this.#next = elapsed() + AGAIN;
    } else if ((state === "leads" || state === "begins") && this.token === token) {
      this.#standing = { state, token, until };
    } else {
      if (state === "leads" || state === "begins") this.#drop();
      this.#standing = { state: "begins", token, until };
      // It takes its time, and the lease is kept meanwhile.
      void begin(lead).then(() => {
        if (this.#standing.state !== "begins" || this.token !== token) return;
        this.#standing = { ...this.#standing, state: "leads" };
        changed(this.#standing);
      }, (error: unknown) => {
        if (!isLeadLost(error)) this.#options.failed(error as EventRouterError);
        if (this.token === token) this.#drop();
      });
    }
  }

  #follow({ leader, token, ms }: Lead): void {
    const { state } = this.#standing;
    if (state === "closed") return;
    this.#next = ms === Infinity ? null : this.#options.elapsed() + Math.max(0, ms) + BEHIND;
    // Where the leader is fixed, it has the same token when it comes back as another.
    if (this.#standing.state === "follows" && this.#standing.token === token && this.#standing.leader === leader) return;
    const had = state === "leads" || state === "begins";
    if (had) this.#forget();
    this.#standing = { state: "follows", leader, token };
    if (had) this.#options.lost();
    this.#options.changed(this.#standing);
  }
}
