import type { Port } from "../link.ts";
import { LogEvent } from "../log-event.ts";
import type { Lead, Peers } from "../peers.ts";
import type { Away, Outbound } from "./away.ts";
import { Gathering } from "./gathering.ts";
import { Seeking, type Found } from "./seeking.ts";
import { Leadership, type Standing } from "./leadership.ts";
import { Trunks, type Trunk, type TrunkEnd } from "./trunk.ts";
import { Vouching, type Vouched, type VouchedSession } from "./vouching.ts";
import { ConnectionError } from "../errors.ts";

/** What the routers of a log ask of the router whose namespace it is. */
export interface CompanyHome {
  /** It is to lead from now on: resolves when it can work. */
  begin(lead: Lead): Promise<void>;
  /** It leads no more. */
  lost(): void;
  vouch(port: Port, facts: Vouched): Promise<VouchedSession>;
  /** Events that are not stored, from another router. */
  passed(events: readonly LogEvent[]): void;
  /** The leader has purged the log up to here. */
  purged(upTo: number): void;
  /** What this router says of itself, as JSON. */
  tells(what: string): string | Promise<string>;
  /** A dead letter of a subscription without a group is to be tried again: where its session is. */
  seeks(subscription: string): { readonly away: Away; readonly id: number } | undefined;
}

export interface CompanyOptions {
  readonly peers: Peers;
  readonly home: CompanyHome;
  now(): number;
  /** A stopwatch. */
  elapsed(): number;
  randomId(): string;
  wakeBy(time: number): void;
  failed(error: unknown): void;
}

interface Bound { readonly trunk: Trunk; readonly guests: Map<string, Away> }

/** A router among those of its log: who leads, what of its sessions is at the leader, and what is said to all. */
export class Company implements Outbound {
  readonly #options: CompanyOptions;
  readonly #home: CompanyHome;
  readonly #trunks: Trunks;
  readonly #leadership: Leadership;
  readonly #gathering: Gathering;
  readonly #seeking: Seeking;
  readonly #waiting = new Set<Away>();
  readonly #vouchings = new Map<Trunk, Vouching>();
  #bound: Bound | undefined;
  #beginning: Promise<void> | undefined;

  constructor(options: CompanyOptions) {
    const { peers, home, now, randomId, wakeBy, failed, elapsed } = options;
    this.#options = options;
    this.#home = home;
    this.#trunks = new Trunks({ peers, now, randomId, wakeBy, failed, accept: (trunk, token) => this.#accept(trunk, token), said: (from, word, body) => this.#said(from, word, body) });
    this.#leadership = new Leadership({
      peers, elapsed, failed,
      begin: (lead) => (this.#beginning = home.begin(lead)),
      lost: () => this.#lost(),
      changed: (standing) => this.#changed(standing),
      wakeIn: (ms) => wakeBy(now() + ms),
    });
    this.#seeking = new Seeking({ now, wakeBy, say: (word) => this.#trunks.sayToAll(word) });
    this.#gathering = new Gathering({ now, wakeBy, say: (to, word, body) => (to === undefined ? this.#trunks.sayToAll(word, body) : this.#trunks.say(to, word, body)) });
  }

  /** Resolves when it is known who leads, and this router's work has begun if it does; or that it cannot be known now. */
  async start(): Promise<void> {
    await this.#leadership.claim();
    await this.#beginning?.catch(() => {});
  }

  /** Whether this router leads now. */
  holds(): boolean { return this.#leadership.holds(); }
  /** A store has refused what was written under this token. */
  refused(token: number | undefined): void { this.#leadership.refused(token); }

  tick(now: number): number | null {
    const claim = this.#leadership.tick();
    for (const away of this.#waiting) if (now >= away.until) this.#giveUp(away);
    const due = [claim === null ? null : now + claim, this.#trunks.tick(now), this.#gathering.tick(now), this.#seeking.tick(now), ...[...this.#waiting].map(({ until }) => until)].filter((one) => one !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Gives events that are not stored to the other routers. */
  pass(events: readonly LogEvent[]): void {
    if (events.length > 0) this.#trunks.sayToAll(["pass"], events.map(({ line }) => line).join("\n"));
  }

  /** Tells the others that the log was purged. */
  purge(upTo: number): void { this.#trunks.sayToAll(["purged", upTo]); }

  /** What the other routers say of themselves. */
  gather(what: string): Promise<readonly string[]> { return this.#gathering.ask(what); }

  /** The subscription that a dead letter is of, if another router has it. */
  seek(subscription: string, letter: string): Promise<Found | undefined> { return this.#seeking.seek(subscription, letter); }
  found(letter: string, found: Found): void { this.#seeking.found(letter, found); }

  join(away: Away): Trunk | undefined {
    const { standing } = this.#leadership;
    if (standing.state !== "follows") {
      this.#waiting.add(away);
      this.#options.wakeBy(this.#options.now());
      return undefined;
    }
    this.#waiting.delete(away);
    this.#bound ??= this.#open(standing);
    const { trunk, guests } = this.#bound;
    guests.set(away.session, away);
    trunk.send(["join", away.session, away.facts]);
    return trunk;
  }

  leave(away: Away): void {
    this.#waiting.delete(away);
    this.#bound?.guests.delete(away.session);
  }

  /** Sends the sessions of other routers' clients away. */
  dismiss(): void {
    for (const trunk of this.#vouchings.keys()) trunk.break();
  }

  /** Lets the lead go, if it has it; what is to be written is written. Another takes it at once. */
  async close(): Promise<void> {
    this.dismiss();
    await this.#leadership.close();
    this.#trunks.sayToAll(["free"]);
    this.#trunks.close();
  }

  #open({ leader, token }: Standing & { state: "follows" }): Bound {
    const guests = new Map<string, Away>();
    const end: TrunkEnd = {
      word: (word, body) => {
        const away = word[0] === "say" || word[0] === "left" ? guests.get(word[1]) : undefined;
        if (word[0] === "say") away?.heard(body);
        else away?.lost();
      },
      broken: () => {
        if (this.#bound?.guests === guests) this.#bound = undefined;
        // There may be another, of whom nobody has told.
        this.#leadership.vacant();
        const lost = [...guests.values()];
        guests.clear();
        for (const away of lost) away.lost();
      },
    };
    return { trunk: this.#trunks.open(leader, token, end), guests };
  }

  #accept(trunk: Trunk, token: number): TrunkEnd | undefined {
    const { standing } = this.#leadership;
    const working = this.#leadership.holds();
    if (this.#leadership.token !== token || !(working || standing.state === "begins")) return undefined;
    const { vouch } = this.#home;
    const vouching = new Vouching({ trunk, vouch, ended: () => void this.#vouchings.delete(trunk) }, working);
    this.#vouchings.set(trunk, vouching);
    return vouching;
  }

  #changed(standing: Standing): void {
    const bound = this.#bound;
    // What was bound to somebody else is lost.
    this.#bound = undefined;
    bound?.trunk.break();
    if (standing.state === "leads") {
      this.#trunks.sayToAll(["lead", standing.token]);
      for (const vouching of this.#vouchings.values()) vouching.start();
    }
    if (standing.state !== "leads" && standing.state !== "follows") return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const away of waiting) away.settle(standing.state === "leads" ? "here" : "elsewhere");
  }

  #lost(): void {
    this.#beginning = undefined;
    this.#home.lost();
    this.dismiss();
  }

  #giveUp(away: Away): void {
    this.#waiting.delete(away);
    away.end(new ConnectionError("ERR_NO_LEADER", "no router leads this namespace now; connect again later", { retryable: true }));
  }

  #said(from: string, word: readonly unknown[], body: string): void {
    const home = this.#home;
    switch (word[0]) {
      case "lead": return this.#leadership.heard(from, word[1] as number);
      case "free": {
        const { standing } = this.#leadership;
        return standing.state === "follows" && standing.leader === from ? this.#leadership.vacant() : undefined;
      }
      case "pass": return home.passed(body.split("\n").map((line) => LogEvent.fromLine(line)));
      case "purged": return home.purged(word[1] as number);
      case "ask": return void this.#answer(from, word[1], word[2] as string);
      case "told": return this.#gathering.answered(from, word[1] as number, body);
      case "seek": {
        const found = home.seeks(word[1] as string);
        return found?.away.offer(found.id, word[2] as string);
      }
    }
  }

  async #answer(from: string, question: unknown, what: string): Promise<void> {
    try {
      this.#trunks.say(from, ["told", question], await this.#home.tells(what));
    } catch (error) {
      this.#options.failed(error);
    }
  }
}
