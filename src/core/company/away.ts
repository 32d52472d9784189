import { ConnectionError, fromWire, type EventRouterError, type WireError } from "../errors.ts";
import { count, type FrameReader } from "../frame-reader.ts";
import type { Reader } from "../reader.ts";
import { isLegible } from "./legible.ts";
import type { Trunk } from "./trunk.ts";

/** ms that a session waits for somebody to lead, and UTF-16 units that may wait with it. */
export const PATIENCE = 15_000;
const MOST = 4 * 1024 * 1024;

/** Calls that any router answers from the log, or for itself; the others are the leader's. */
const ANYWHERE: ReadonlySet<unknown> = new Set(["read", "stream", "ticket", "health", "oversee", "stats", "subscriptions"]);
/** Frames that are about what only the leader has. */
const LEADERS: ReadonlySet<string> = new Set(["serve", "req", "cancel", "answer", "fail", "done", "nack"]);
/** Those that are followed by a line of raw text. */
const WITH_TEXT: ReadonlySet<string> = new Set(["req", "answer"]);

/** Where what a session has for the leader goes. */
export interface Outbound {
  /** The trunk to whoever leads, with this session joined to it; undefined: nobody is known to lead. */
  join(away: Away): Trunk | undefined;
  leave(away: Away): void;
}

export interface AwayOptions {
  readonly session: string;
  readonly reader: Reader;
  readonly outbound: Outbound;
  now(): number;
  /** Who it is, for the leader. */
  facts(): unknown;
  principal(): unknown;
  /** This router leads: a message that waited is dealt with here. */
  receive(message: string): void;
  end(error: EventRouterError): void;
}

type State =
  | { readonly state: "here" }
  | { readonly state: "waiting"; readonly messages: string[]; size: number; readonly until: number }
  | { readonly state: "joined"; readonly trunk: Trunk }
  | { readonly state: "over" };

/**
 * What of one session is at the leader, on a router that does not lead: frames go there as they are, under the client's own numbers, and what comes back goes to the
 * client. When the link is lost, so is the session, and its client resumes in a new one.
 */
export class Away {
  readonly session: string;
  readonly #options: AwayOptions;
  #state: State = { state: "here" };
  #out: string[] = [];
  /** Subscriptions and responders that the leader has. */
  readonly #ids = new Set<number>();
  /** Subscriptions of this router that the leader has given a dead letter to. */
  readonly #lent = new Set<number>();
  /** Ends that the client has been told of. */
  readonly #ended = new Set<number>();
  /** UTF-16 units that came from the leader, and those of them that it knows the client has. */
  #heard = 0;
  #acked = 0;
  /** Its rights are not those any more with which it came to the leader, which hears of that later than this router. */
  #changed = false;

  constructor(options: AwayOptions) {
    this.session = options.session;
    this.#options = options;
  }

  /** Whether something of the session is elsewhere, or on its way there. */
  get used(): boolean { return this.#state.state === "joined" || this.#state.state === "waiting"; }
  get until(): number { return this.#state.state === "waiting" ? this.#state.until : Infinity; }
  get facts(): unknown { return this.#options.facts(); }
  get size(): number { return this.#ids.size; }
  has(id: number): boolean { return this.#ids.has(id); }

  /** Whether a frame is the leader's; then it is on its way. */
  takes([name, ...args]: readonly [string, ...unknown[]], frames: FrameReader): boolean {
    if (!this.#isLeaders(name, args)) return false;
    const { line } = frames;
    this.#out.push(WITH_TEXT.has(name) ? `${line}\n${frames.raw(1)[0]!}` : name === "pub" ? `${line}\n${frames.raw(count(args[1], "lines")).join("\n")}` : line);
    return true;
  }

  /** What the client has finished, of what came from the leader. */
  ack([, ...done]: readonly unknown[]): void {
    if (this.#state.state !== "joined") return;
    const pairs: unknown[] = [];
    for (let i = 0; i < done.length; i += 2) if (this.#ids.has(count(done[i], "subscription"))) pairs.push(done[i], count(done[i + 1], "seq"));
    // What is on its way to the client may all be the leader's.
    const received = Math.max(this.#acked, this.#heard - this.#options.reader.onWay);
    if (received === this.#acked && pairs.length === 0) return;
    this.#acked = received;
    this.#out.push(JSON.stringify(["ack", received, ...pairs]));
  }

  /** What a message of the client had for the leader leaves in one. */
  flush(): void {
    if (this.#out.length === 0) return;
    const message = this.#out.join("\n");
    this.#out = [];
    switch (this.#state.state) {
      case "here": case "joined": return this.#send(message);
      case "waiting": {
        this.#state.messages.push(message);
        this.#state.size += message.length;
        if (this.#state.size > MOST) this.#options.end(new ConnectionError("ERR_NO_LEADER", "no router leads this namespace now, and too much waits for it; connect again later", { retryable: true }));
      }
    }
  }

  #send(message: string): void {
    // What came before may have ended it.
    if (this.#state.state === "over") return;
    const trunk = this.#state.state === "joined" ? this.#state.trunk : this.#options.outbound.join(this);
    if (trunk === undefined) {
      this.#state = { state: "waiting", messages: [message], size: message.length, until: this.#options.now() + PATIENCE };
      return;
    }
    this.#state = { state: "joined", trunk };
    trunk.send(["say", this.session], message);
  }

  /** It is known who leads: what waited goes there. */
  settle(leads: "here" | "elsewhere"): void {
    if (this.#state.state !== "waiting") return;
    const { messages } = this.#state;
    this.#state = { state: "here" };
    if (leads === "here") this.#ids.clear();
    for (const message of messages) {
      if (leads === "elsewhere") this.#send(message);
      else this.#options.receive(message);
    }
  }

  /** The client's rights are others now. */
  become(): void {
    this.#changed = true;
    if (this.#state.state === "joined") this.#state.trunk.send(["become", this.session, this.#options.principal()]);
  }

  /** A subscription of this router has a dead letter, which waits at the leader for somebody to take it. */
  offer(id: number, letter: string): void {
    this.#out.push(JSON.stringify(["revive", id, letter]));
    this.flush();
  }

  /** Frames from the leader. */
  heard(body: string): void {
    const { reader, end } = this.#options;
    this.#heard += body.length;
    for (const line of body.split("\n")) {
      const [, name, number] = /^\["([a-z]+)"(?:,(\d+))?/.exec(line) ?? [];
      const id = Number(number);
      switch (name) {
        case "bye": {
          const error = fromWire((JSON.parse(line) as [string, WireError])[1]);
          // The leader stops, and not the client's own router.
          return end(error.code === "ERR_ROUTER_STOPPING" ? leaderLost() : error);
        }
        // It has been told by its own router.
        case "rights": break;
        case "end":
          this.#ids.delete(id);
          if (!this.#ended.delete(id)) reader.tell(line);
          break;
        case "job": case "ev": case "mix": {
          if (name === "job" && !this.#ids.has(id)) this.#lent.add(id);
          // Left out, it would be in hand at the leader for ever. So nothing goes on: the leader gives to others what this session has, or passes over it.
          if (this.#changed && !isLegible(line, reader.rights)) return end(new ConnectionError("ERR_RIGHTS", "what this client may read has changed while events were on their way to it; connect again", { retryable: true, details: { retryAfter: 0 } }));
          reader.tell(line);
          break;
        }
        default: reader.tell(line);
      }
    }
  }

  /** The leader is not there any more, or does not know the session. */
  lost(): void {
    if (this.#state.state === "over") return;
    this.#options.end(leaderLost());
  }

  /** @param error why the session cannot go on */
  end(error: EventRouterError): void { this.#options.end(error); }

  /** The session is over. */
  close(): void {
    if (this.#state.state === "joined") this.#state.trunk.send(["left", this.session]);
    this.#state = { state: "over" };
    this.#options.outbound.leave(this);
  }

  #isLeaders(name: string, args: readonly unknown[]): boolean {
    const { cursors } = this.#options.reader;
    switch (name) {
      case "sub": {
        const { durable, group } = (args[1] ?? {}) as { readonly durable?: unknown; readonly group?: unknown };
        return durable !== undefined || group !== undefined ? this.#claimId(args[0]) : false;
      }
      case "serve": return this.#claimId(args[0]);
      case "unsub": {
        const id = args[0] as number;
        if (this.#ids.has(id)) return true;
        // Both have something of it.
        if (this.#lent.delete(id)) {
          this.#ended.add(id);
          this.#out.push(JSON.stringify(["unsub", ...args]));
        }
        return false;
      }
      case "call": return !ANYWHERE.has(args[1]) && !(args[1] === "dead" && cursors.has((args[2] as { readonly sub?: number } | undefined)?.sub ?? -1));
      case "pub": return (args[2] as { readonly as?: unknown } | undefined)?.as === "later";
      default: return LEADERS.has(name);
    }
  }

  /** An id that is in use here is refused here. */
  #claimId(id: unknown): boolean {
    if (typeof id !== "number" || this.#options.reader.cursors.has(id)) return false;
    this.#ids.add(id);
    return true;
  }
}

export function leaderLost(): ConnectionError {
  return new ConnectionError("ERR_LEADER_LOST", "the router that leads this namespace is another now; connect again", { retryable: true, details: { retryAfter: 0 } });
}
