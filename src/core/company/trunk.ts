import { ALL, type Peers } from "../peers.ts";

/** Signs of life that may fail to come. */
const PATIENCE = 4;

/** What passes over a trunk. `join`, `become` and `say` of a session's own link; `body` is what stands behind the first line. */
export type Word =
  /** The first. `token`: of the lead that the other is taken to have. */
  | readonly ["open", token: number]
  | readonly ["beat"]
  /** A client's session has something for the leader. */
  | readonly ["join", session: string, facts: unknown]
  /** It may do other things now. */
  | readonly ["become", session: string, principal: unknown]
  /** Frames, in either direction. */
  | readonly ["say", session: string]
  /** In either direction: it is over. */
  | readonly ["left", session: string];

export interface TrunkEnd {
  word(word: Word, body: string): void;
  /** It is broken; nothing more comes or goes. */
  broken(): void;
}

/**
 * An ordered pipe between two routers over messages that may be lost: they are numbered, and one that is missing breaks it. Signs of life show that the last was not.
 */
export class Trunk {
  readonly id: string;
  readonly peer: string;
  readonly #send: (text: string) => void;
  readonly #over: () => void;
  /** Who hears what comes. */
  end: TrunkEnd | undefined;
  #sent = 0;
  #heard = 0;
  #heardAt: number;
  #beatAt: number;
  #open = true;

  constructor(options: { id: string; peer: string; now: number; send(text: string): void; over(): void }) {
    this.id = options.id;
    this.peer = options.peer;
    this.#send = options.send;
    this.#over = options.over;
    this.#heardAt = this.#beatAt = options.now;
  }

  get open(): boolean { return this.#open; }

  send(word: Word, body = ""): void {
    if (this.#open) this.#send(`${JSON.stringify([this.id, ++this.#sent, ...word])}\n${body}`);
  }

  take(number: number, word: Word, body: string, now: number): void {
    if (!this.#open) return;
    if (number !== ++this.#heard) return this.break();
    this.#heardAt = now;
    if (word[0] !== "beat") this.end?.word(word, body);
  }

  /** @param beat ms between signs of life. Returns when to come again. */
  tick(now: number, beat: number): number {
    if (now >= this.#heardAt + PATIENCE * beat) this.break();
    else if (now >= this.#beatAt + beat) {
      this.#beatAt = now;
      this.send(["beat"]);
    }
    return Math.min(this.#beatAt + beat, this.#heardAt + PATIENCE * beat);
  }

  /** Ends it; the other side is told, if it can hear. */
  break(): void {
    if (!this.#open) return;
    this.#send(JSON.stringify([this.id, 0]));
    this.brokenOff();
  }

  /** The other side says that it is broken. */
  brokenOff(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#over();
    this.end?.broken();
  }
}

export interface TrunksOptions {
  readonly peers: Peers;
  now(): number;
  randomId(): string;
  /** Another router opens one: who hears it, or undefined if it cannot be. */
  accept(trunk: Trunk, token: number): TrunkEnd | undefined;
  /** What is said to all. */
  said(from: string, word: readonly unknown[], body: string): void;
  wakeBy(time: number): void;
  failed(error: unknown): void;
}

/** All that passes between this router and the others of its log: trunks to and from each, and what is said to all. */
export class Trunks {
  readonly #options: TrunksOptions;
  readonly #trunks = new Map<string, Trunk>();
  readonly #unlisten: () => void;

  constructor(options: TrunksOptions) {
    this.#options = options;
    this.#unlisten = options.peers.listen({
      message: (from, text) => this.#message(from, text),
      gone: (router) => { for (const trunk of this.#trunks.values()) if (trunk.peer === router) trunk.break(); },
    });
  }

  open(peer: string, token: number, end: TrunkEnd): Trunk {
    const trunk = this.#make(this.#options.randomId(), peer);
    trunk.end = end;
    trunk.send(["open", token]);
    return trunk;
  }

  /** At most once, to whoever is there. */
  say(to: string, word: readonly unknown[], body = ""): void {
    this.#options.peers.send(to, `${JSON.stringify(["", 0, ...word])}\n${body}`);
  }

  sayToAll(word: readonly unknown[], body = ""): void { this.say(ALL, word, body); }

  tick(now: number): number | null {
    const { beat } = this.#options.peers;
    let next: number | null = null;
    if (beat > 0) for (const trunk of this.#trunks.values()) next = Math.min(next ?? Infinity, trunk.tick(now, beat));
    return this.#trunks.size === 0 ? null : next;
  }

  breakAll(): void {
    for (const trunk of this.#trunks.values()) trunk.break();
  }

  close(): void {
    this.breakAll();
    this.#unlisten();
  }

  #accept(id: string, peer: string, token: number): Trunk {
    const trunk = this.#make(id, peer);
    trunk.end = this.#options.accept(trunk, token);
    if (trunk.end === undefined) trunk.break();
    return trunk;
  }

  #make(id: string, peer: string): Trunk {
    const { peers, now, wakeBy } = this.#options;
    const trunk = new Trunk({ id, peer, now: now(), send: (text) => peers.send(peer, text), over: () => void this.#trunks.delete(id) });
    this.#trunks.set(id, trunk);
    if (peers.beat > 0) wakeBy(now() + peers.beat);
    return trunk;
  }

  #message(from: string, text: string): void {
    try {
      const end = text.indexOf("\n");
      const [id, number, ...word] = JSON.parse(end === -1 ? text : text.slice(0, end)) as [string, number, ...unknown[]];
      this.#take(from, id, number, word, end === -1 ? "" : text.slice(end + 1));
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #take(from: string, id: string, number: number, word: readonly unknown[], body: string): void {
    const { now, peers, said } = this.#options;
    if (id === "") return said(from, word, body);
    let trunk = this.#trunks.get(id);
    if (number === 0) return trunk?.brokenOff();
    if (trunk === undefined && number === 1 && word[0] === "open") trunk = this.#accept(id, from, word[1] as number);
    if (trunk?.open === true) trunk.take(number, word as unknown as Word, body, now());
    // Of one that is broken on this side, or of an earlier life.
    else peers.send(from, JSON.stringify([id, 0]));
  }
}
