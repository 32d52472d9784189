import { fromWire } from "../../core/errors.ts";
import { randomText } from "../../core/event-id.ts";
import { ALL, type Peers, type PeersListener } from "../../core/peers.ts";
import type { Log } from "../../core/store.ts";
import { logHome, passageOf, type LogHome, type Standing } from "../../stores/log-home.ts";
import { OwnLog, type OwnLogOptions } from "../own-log.ts";
import { randomBytes } from "../surroundings.ts";
import type { Delivered, Followed, Message, Neighbour, Parcel, Question } from "./between.ts";
import { Courier } from "./courier.ts";

export interface OwnerLogOptions extends OwnLogOptions {
  /** A relay of this namespace. */
  relay(number: number): Neighbour;
  /** Opens the log, with the router at work on it. */
  open(): Promise<void>;
  /** Something is to be done when this turn is over. */
  begin(): void;
  after(ms: number, callback: () => void): void;
}

interface Follower {
  readonly courier: Courier;
  /** Of the relay, since it last began to follow. */
  life: string | undefined;
  /** How often it has begun. */
  times: number;
}

/**
 * The log of a namespace that has relays. Its object leads for ever; relays follow: each is told of what is appended, once a turn, and what their routers say to
 * each other passes here. Which relays there are is stored, as they hear nothing while this object sleeps unless it knows of them when it wakes.
 */
export class OwnerLog extends OwnLog {
  readonly #options: OwnerLogOptions;
  /** Another with each wake: what was said to an earlier one was lost. */
  readonly #life = randomText(16, randomBytes);
  readonly #followers = new Map<number, Follower>();
  #listener: PeersListener | undefined;
  #home: LogHome | undefined;

  constructor(options: OwnerLogOptions) {
    super(options);
    this.#options = options;
  }

  override settled(): void {
    for (const { courier } of this.#followers.values()) courier.flush();
  }

  override async answer(question: Question): Promise<unknown> {
    switch (question[0]) {
      case "keep": return this.tickets.keep(question[1], question[2]);
      case "take": return this.tickets.take(question[1]);
      case "follow": {
        await this.#options.open();
        return this.#follow(question[1], question[2]);
      }
      case "parcel": return this.#take(question[1], question[2]);
      case "log": {
        await this.#options.open();
        const [, method, args] = question;
        // What it brings about here leaves with the turn.
        this.#options.begin();
        return (this.#home![method] as (...given: readonly unknown[]) => Promise<unknown>)(...args);
      }
    }
  }

  protected override joined(log: Log): Log {
    const whereItStands = (): void => { for (const { courier } of this.#followers.values()) courier.tell(passageOf([], log.head, standingOf(log))); };
    const trim: Log["trim"] = async (seq, lead) => {
      await log.trim(seq, lead);
      whereItStands();
      this.#options.begin();
    };
    const joined = Object.create(log, { peers: { value: this.#peers(log) }, trim: { value: trim } }) as Log;
    this.#home = logHome(log);
    if (this.#known()) for (const { relay } of this.database!.prepare("SELECT relay FROM er_relays").all() as { relay: number }[]) this.#followers.set(relay, this.#follower(relay));
    // Nobody knows what they were told before this object slept, or ended.
    whereItStands();
    log.watch((events) => {
      const passage = passageOf(events, events[0]!.seq - 1, standingOf(log));
      for (const { courier } of this.#followers.values()) courier.tell(passage);
    });
    return joined;
  }

  #peers(log: Log): Peers {
    return {
      self: this.#life,
      beat: 0,
      claim: async () => ({ leader: this.#life, token: 1, ms: Infinity, head: log.head }),
      release: async () => {},
      send: (to, text) => this.#pass({ from: this.#life, to, text }),
      listen: (on) => {
        this.#listener = on;
        return () => { this.#listener = undefined; };
      },
    };
  }

  /** A message on its way to whomever it is for, except back. Returns the life that is not there. */
  #pass(message: Message, except?: number): string | undefined {
    const { from, to, text } = message;
    this.#options.begin();
    if (from !== this.#life && (to === this.#life || to === ALL)) this.#listener?.message(from, text);
    if (to === this.#life) return undefined;
    const reached = [...this.#followers].filter(([relay, { life }]) => (to === ALL ? relay !== except : life === to));
    for (const [, { courier }] of reached) courier.say(message);
    return to !== ALL && reached.length === 0 ? to : undefined;
  }

  #take(relay: number, { life, messages }: Parcel): Delivered {
    const follower = this.#followers.get(relay);
    // This object has slept since; and one that ended later than the next began has nothing to say.
    if (follower !== undefined) follower.life ??= life;
    const gone = messages.flatMap((message) => this.#pass(message, relay) ?? []);
    return { gone: [...new Set(gone)], stays: true };
  }

  #follow(relay: number, life: string): Followed {
    let follower = this.#followers.get(relay);
    if (follower === undefined) {
      this.#followers.set(relay, (follower = this.#follower(relay)));
      const database = this.database!;
      database.exec("CREATE TABLE IF NOT EXISTS er_relays (relay INTEGER PRIMARY KEY)");
      database.prepare("INSERT OR IGNORE INTO er_relays (relay) VALUES (?)").run(relay);
    }
    follower.times++;
    const before = follower.life;
    follower.life = life;
    // What was said to an earlier life of the relay, or by it, is lost.
    if (before !== undefined && before !== life) this.#listener?.gone(before);
    return { owner: this.#life, standing: standingOf(this.log!) };
  }

  #follower(relay: number): Follower {
    const { after, onError } = this.#options;
    let times = 0;
    const follower: Follower = {
      life: undefined, times: 0,
      courier: new Courier({
        life: this.#life, after, onError,
        carry: async (parcel) => {
          ({ times } = follower);
          const answer = await this.#options.relay(relay).between(["parcel", relay, parcel]);
          if ("error" in answer) throw fromWire(answer.error);
          return answer.ok as Delivered;
        },
        delivered: ({ stays }) => { if (!stays && times === follower.times) this.#forget(relay); },
        reaches: () => follower.life,
        gone: (life) => this.#listener?.gone(life),
      }),
    };
    return follower;
  }

  /** Nobody is connected to it. */
  #forget(relay: number): void {
    const { life } = this.#followers.get(relay) ?? {};
    this.#followers.delete(relay);
    this.database!.prepare("DELETE FROM er_relays WHERE relay = ?").run(relay);
    if (life !== undefined) this.#listener?.gone(life);
  }

  #known(): boolean {
    return this.database!.prepare("SELECT 1 FROM sqlite_master WHERE name = 'er_relays'").get() !== undefined;
  }
}

function standingOf({ epoch, head, first, extent }: Log): Standing {
  return { epoch, head, first, extent: { ...extent } };
}
