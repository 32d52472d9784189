import { fromWire } from "../../core/errors.ts";
import { randomText } from "../../core/event-id.ts";
import { ALL, type Peers, type PeersListener } from "../../core/peers.ts";
import type { Store } from "../../core/store.ts";
import type { SavedTicket, TicketShelf } from "../../core/tickets.ts";
import type { FollowedLog } from "../../stores/followed-log.ts";
import type { LogHome } from "../../stores/log-home.ts";
import { upstreamStore } from "../../stores/upstream.ts";
import type { ObjectLog } from "../object-log.ts";
import { randomBytes } from "../surroundings.ts";
import type { Delivered, Followed, LogMethod, Neighbour, Parcel, Question } from "./between.ts";
import { Courier } from "./courier.ts";

export interface RelayLogOptions {
  readonly relay: number;
  owner(): Neighbour;
  /** Whether anybody is connected here. */
  busy(): boolean;
  /** Something is to be done when this turn is over. */
  begin(): void;
  after(ms: number, callback: () => void): void;
  onError(error: unknown): void;
}

/** A relay's log: that of the owner, which tells it of what is appended and takes what is published here. */
export class RelayLog implements ObjectLog {
  readonly store: Store;
  readonly tickets: TicketShelf;
  readonly database = undefined;
  readonly stored = false;
  over = false;
  readonly #options: RelayLogOptions;
  readonly #home: LogHome;
  /** Another each time that it begins to follow. */
  #life = "";
  #owner: string | undefined;
  /** What it learned when it began, for the first claim. */
  #begun: Followed | undefined;
  #log: FollowedLog | undefined;
  #listener: PeersListener | undefined;
  #courier: Courier | undefined;

  constructor(options: RelayLogOptions) {
    this.#options = options;
    const { onError, after } = options;
    this.#home = this.#makeHome();
    this.tickets = {
      keep: async (text, ticket) => void (await this.#ask(["keep", text, ticket])),
      take: async (text) => (await this.#ask(["take", text])) as SavedTicket | undefined,
    };
    const upstream = upstreamStore({ durability: "disk", home: () => this.#home, peers: () => this.#peers(), pause: (ms) => new Promise((resolve) => after(ms, resolve)), onError });
    this.store = {
      ...upstream,
      open: async (name) => (this.#log = await upstream.open(name)),
    };
  }

  get head(): number { return this.#log?.head ?? 0; }

  settled(): void { this.#courier?.flush(); }

  /** The owner has something to say. */
  async answer(question: Question): Promise<Delivered> {
    const [, , parcel] = question as Extract<Question, readonly ["parcel", ...unknown[]]>;
    return this.#take(parcel);
  }

  #take({ life, passage, messages }: Parcel): Delivered {
    if (!this.#options.busy()) {
      this.over = true;
      return { gone: [...new Set(messages.map(({ to }) => to).filter((to) => to !== ALL))], stays: false };
    }
    this.#options.begin();
    this.#learn(life);
    const gone = new Set<string>();
    for (const { from, to, text } of messages) {
      if (to === ALL || to === this.#life) this.#listener?.message(from, text);
      else gone.add(to);
    }
    // What it must read for that is not waited for: the owner would wait for its own answers.
    if (passage !== undefined) void this.#log?.tell(passage);
    return { gone: [...gone], stays: true };
  }

  /** The owner is another one: what was said to the one before, or by it, is lost. */
  #learn(owner: string): void {
    const before = this.#owner;
    this.#owner = owner;
    if (before !== undefined && before !== owner) this.#listener?.gone(before);
  }

  async #follow(): Promise<Followed> {
    const followed = (await this.#ask(["follow", this.#options.relay, this.#life])) as Followed;
    this.#learn(followed.owner);
    return followed;
  }

  #peers(): Peers {
    const self = this.#life;
    const { after, onError } = this.#options;
    const courier = (this.#courier = new Courier({
      life: self, after, onError,
      carry: async (parcel) => (await this.#ask(["parcel", this.#options.relay, parcel])) as Delivered,
      reaches: () => this.#owner,
      gone: (life) => this.#listener?.gone(life),
    }));
    return {
      self,
      beat: 0,
      claim: async () => {
        const { owner, standing } = this.#begun ?? (await this.#follow());
        this.#begun = undefined;
        return { leader: owner, token: 1, ms: Infinity, head: standing.head };
      },
      release: async () => {},
      send: (to, text) => {
        courier.say({ from: self, to, text });
        this.#options.begin();
      },
      listen: (on) => {
        this.#listener = on;
        return () => { if (this.#listener === on) this.#listener = undefined; };
      },
    };
  }

  #makeHome(): LogHome {
    const asks = <Method extends LogMethod>(method: Method) => (...args: Parameters<LogHome[Method]>) => this.#ask(["log", method, args]) as ReturnType<LogHome[Method]>;
    return {
      standing: async () => {
        this.#life = `${this.#options.relay}_${randomText(16, randomBytes)}`;
        this.#begun = await this.#follow();
        return this.#begun.standing;
      },
      append: asks("append"), read: asks("read"), readStream: asks("readStream"), seqBefore: asks("seqBefore"), trim: asks("trim"),
      readBookmark: asks("readBookmark"), listBookmarks: asks("listBookmarks"), writeBookmarks: asks("writeBookmarks"),
    };
  }

  /** @throws EventRouterError what the owner says; anything else is no word of it. */
  async #ask(question: Question): Promise<unknown> {
    const answer = await this.#options.owner().between(question);
    if ("error" in answer) throw fromWire(answer.error);
    return answer.ok;
  }
}
