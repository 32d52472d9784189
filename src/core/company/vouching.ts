import type { Port } from "../link.ts";
import type { SavedPrincipal } from "../policy.ts";
import { asError, ConnectionError, toWire } from "../errors.ts";
import type { Trunk, TrunkEnd, Word } from "./trunk.ts";

/** What a router says of a session that it lets in at the leader. */
export interface Vouched {
  readonly id: string;
  readonly principal: SavedPrincipal;
  readonly name?: string;
  readonly instance?: string;
}

/** A session that another router vouches for, as that speaks to it. */
export interface VouchedSession {
  receive(message: string): void;
  disconnected(): void;
  /** It may do other things now. */
  become(principal: SavedPrincipal): Promise<void>;
}

export interface VouchingOptions {
  readonly trunk: Trunk;
  /** @throws AuthenticationError, PermissionError if it would not be let in here */
  vouch(port: Port, facts: Vouched): Promise<VouchedSession>;
  ended(): void;
}

/** A session of another router's client. */
interface Guest {
  session: VouchedSession | undefined;
  /** What is still to be done for it, in order; undefined: nothing is under way. */
  waiting: (() => void | Promise<void>)[] | undefined;
}

/** The leader's end of a trunk: the sessions that another router vouches for. */
export class Vouching implements TrunkEnd {
  readonly #options: VouchingOptions;
  readonly #guests = new Map<string, Guest>();
  #working: boolean;
  #meanwhile: (() => void)[] = [];

  /** @param working whether the leader is at work already; else all waits until `start` */
  constructor(options: VouchingOptions, working: boolean) {
    this.#options = options;
    this.#working = working;
  }

  /** The leader is at work. */
  start(): void {
    this.#working = true;
    for (const task of this.#meanwhile.splice(0)) task();
  }

  word(word: Word, body: string): void {
    if (!this.#working) return void this.#meanwhile.push(() => this.word(word, body));
    switch (word[0]) {
      case "join": return this.#join(word[1], word[2] as Vouched);
      case "become": return this.#do(word[1], ({ session }) => session?.become(word[2] as SavedPrincipal));
      case "say": return this.#do(word[1], ({ session }) => session?.receive(body));
      case "left": {
        this.#guests.get(word[1])?.session?.disconnected();
        this.#guests.delete(word[1]);
      }
    }
  }

  broken(): void {
    const guests = [...this.#guests.values()];
    this.#guests.clear();
    this.#meanwhile = [];
    for (const { session } of guests) session?.disconnected();
    this.#options.ended();
  }

  #join(id: string, facts: Vouched): void {
    const { trunk, vouch } = this.#options;
    const guest: Guest = { session: undefined, waiting: undefined };
    this.#guests.set(id, guest);
    const port: Port = {
      send: (messages) => { for (const { text } of messages) trunk.send(["say", id], text); },
      close: () => {
        trunk.send(["left", id]);
        if (this.#guests.get(id) === guest) this.#guests.delete(id);
      },
    };
    this.#do(id, async () => {
      try {
        const session = await vouch(port, { ...facts, id });
        if (this.#guests.get(id) === guest) guest.session = session;
        // It has left meanwhile.
        else session.disconnected();
      } catch (thrown) {
        const error = asError(thrown, (cause) => new ConnectionError("ERR_INTERNAL", "the leader could not open the session; see its log", { cause, retryable: true }));
        port.send([{ text: JSON.stringify(["bye", toWire(error)]) }]);
        port.close(0, error.code);
      }
    });
  }

  /** One thing after another; at once if nothing is under way. */
  #do(id: string, task: (guest: Guest) => unknown): void {
    const guest = this.#guests.get(id);
    if (guest === undefined) return;
    const work = (): void | Promise<void> => task(guest) as void | Promise<void>;
    if (guest.waiting !== undefined) return void guest.waiting.push(work);
    const promise = work();
    if (!(promise instanceof Promise)) return;
    guest.waiting = [];
    void promise.then(() => this.#drain(guest));
  }

  async #drain(guest: Guest): Promise<void> {
    for (let next = guest.waiting!.shift(); next !== undefined; next = guest.waiting!.shift()) await next();
    guest.waiting = undefined;
  }
}
