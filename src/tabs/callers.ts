import { matchesPattern } from "../core/pattern.ts";
import type { Tab } from "./tab.ts";

/** A tab's question and its own number for it. */
export interface Caller { readonly tab: Tab; readonly local: number }
interface Responder { readonly tab: Tab; readonly patterns: readonly string[] }

/** Who has asked what over a trunk, and which tab is to answer what comes over it. */
export class Callers {
  #last = 0;
  #turn = 0;
  readonly #asked = new Map<number, Caller>();
  readonly #responders = new Map<number, Responder>();
  readonly #open = new Map<number, Tab>();

  /** A number never used before on this trunk. */
  next(): number { return ++this.#last; }

  ask(tab: Tab, local: number): number {
    const req = this.next();
    this.#asked.set(req, { tab, local });
    return req;
  }

  /** Whose question it was; undefined if nobody waits any more. */
  settle(req: number): Caller | undefined {
    const caller = this.#asked.get(req);
    this.#asked.delete(req);
    return caller;
  }

  serve(id: number, tab: Tab, patterns: readonly string[]): void {
    this.#responders.set(id, { tab, patterns });
  }

  retire(id: number): void {
    this.#responders.delete(id);
  }

  /** A request comes: to the tab with the fewest open ones among those that answer its type, in turn among equals. */
  asked(ask: number, frame: string, put: (frame: string) => void): void {
    const [, , , [, , , , type]] = JSON.parse(frame) as [string, number, number, [number, number, unknown, string, string]];
    const able = [...this.#responders.values()].filter(({ patterns }) => patterns.some((pattern) => matchesPattern(pattern, type)));
    let best: Tab | undefined;
    let least = Infinity;
    const start = this.#turn++;
    for (let i = 0; i < able.length; i++) {
      const { tab } = able[(start + i) % able.length]!;
      const open = this.#openOf(tab);
      if (open < least) [best, least] = [tab, open];
    }
    if (best === undefined) return put(JSON.stringify(["fail", ask, ["RemoteError", "ERR_RESPONDER_STOPPED", `the responder of "${type}" has stopped; ask again`, 0]]));
    this.#open.set(ask, best);
    best.tell(frame);
  }

  answers(tab: Tab, ask: number): boolean {
    return this.#open.get(ask) === tab && this.#open.delete(ask);
  }

  /** A tab is gone. @param lost hears what it will not answer any more. */
  leave(tab: Tab, lost: (ask: number) => void): void {
    for (const [id, responder] of this.#responders) if (responder.tab === tab) this.#responders.delete(id);
    for (const [req, caller] of this.#asked) if (caller.tab === tab) this.#asked.delete(req);
    for (const [ask, one] of this.#open) {
      if (one !== tab) continue;
      this.#open.delete(ask);
      lost(ask);
    }
  }

  /** The pipe is gone: numbers go on, so that nothing late is taken for something new. */
  clear(): void {
    this.#asked.clear();
    this.#responders.clear();
    this.#open.clear();
  }

  #openOf(tab: Tab): number {
    let open = 0;
    for (const one of this.#open.values()) if (one === tab) open++;
    return open;
  }
}
