import { ALL, leadLost, type Lead, type Peers, type PeersListener } from "../../src/core/peers.ts";
import type { Batch, Log, Outcome } from "../../src/core/store.ts";

export interface PeerHubOptions {
  /** By this the leases are measured; no router's own. */
  now(): number;
  /** Takes a message from one router to another: now, later, or never; or another in its place. */
  carry?(from: string, to: string, text: string, deliver: (said?: string) => void): void;
  /** ms between signs of life. */
  readonly beat?: number;
  /** A router has been given the lead. */
  granted?(self: string): void;
}

/** What the routers of one log have in common, in memory: who leads it, and how they reach each other. */
export class PeerHub {
  readonly log: Log;
  readonly #options: PeerHubOptions;
  readonly #members = new Map<string, PeersListener>();
  #holder: { readonly self: string; readonly until: number } | undefined;
  #token = 0;
  /** Writes of leaders that were leaders no more. */
  refused = 0;

  constructor(log: Log, options: PeerHubOptions) {
    this.log = log;
    this.#options = options;
  }

  get token(): number { return this.#token; }
  get leader(): string | undefined { return this.#holder !== undefined && this.#holder.until > this.#options.now() ? this.#holder.self : undefined; }

  /** The log as one router has it open. */
  join(self: string): Log & { readonly peers: Peers } {
    const { log } = this;
    return {
      ...log,
      epoch: log.epoch,
      get head() { return log.head; },
      get first() { return log.first; },
      get extent() { return log.extent; },
      peers: this.#peers(self),
      append: (batches) => this.#append(batches),
      trim: async (seq, lead) => {
        this.#check(lead);
        await log.trim(seq);
      },
      writeBookmarks: async (entries, lead) => {
        this.#check(lead);
        await log.writeBookmarks(entries);
      },
    };
  }

  /** A router has died, and hears nothing more. */
  leave(self: string): void {
    this.#members.delete(self);
  }

  #peers(self: string): Peers {
    const { now, carry = (_from, _to, _text, deliver) => deliver(), beat = 1_000, granted } = this.#options;
    return {
      self, beat,
      claim: async (ms): Promise<Lead> => {
        if (this.leader === undefined) {
          this.#token++;
          this.#holder = { self, until: now() + ms };
          granted?.(self);
        } else if (this.leader === self) this.#holder = { self, until: now() + ms };
        return { leader: this.#holder!.self, token: this.#token, ms: this.#holder!.until - now(), head: this.log.head };
      },
      release: async (token) => {
        if (this.#holder?.self === self && token === this.#token) this.#holder = undefined;
      },
      send: (to, text) => {
        for (const one of to === ALL ? this.#members.keys() : [to]) if (one !== self) carry(self, one, text, (said = text) => this.#members.get(one)?.message(self, said));
      },
      listen: (on) => {
        this.#members.set(self, on);
        return () => void this.#members.delete(self);
      },
    };
  }

  async #append(batches: readonly Batch[]): Promise<readonly Outcome[][]> {
    const stale = ({ lead }: Batch): boolean => lead !== undefined && lead < this.#token;
    if (!batches.some(stale)) return this.log.append(batches);
    this.refused++;
    const outcomes = await this.log.append(batches.filter((one) => !stale(one)));
    let next = 0;
    return batches.map((one) => stale(one) ? one.drafts.map(() => ({ state: "refused" as const, error: leadLost() })) : outcomes[next++]!);
  }

  #check(lead: number | undefined): void {
    if (lead === undefined || lead >= this.#token) return;
    this.refused++;
    throw leadLost();
  }
}
