import { ALL } from "../../core/peers.ts";
import type { Passage } from "../../stores/log-home.ts";
import type { Delivered, Message, Parcel } from "./between.ts";

export interface CourierOptions {
  readonly life: string;
  carry(parcel: Parcel): Promise<Delivered>;
  delivered?(answer: Delivered): void;
  /** Who is there. */
  reaches(): string | undefined;
  /** This life is over, or a message to it may be lost. What was told of the log is told again. */
  gone(life: string): void;
  after(ms: number, callback: () => void): void;
  onError(error: unknown): void;
}

/** UTF-16 units of events that a parcel takes along; who needs more reads it. */
const ALONG = 1024 * 1024;
/** UTF-16 units of messages that may wait: a router that does not take them is as good as gone. */
const MOST = 8 * 1024 * 1024;
/** ms until a parcel is carried again; doubles. */
const AGAIN = { first: 100, most: 30_000 };

/** Carries what one object has for another, one parcel after the other, so that its order holds; what comes meanwhile waits and goes together. */
export class Courier {
  readonly #options: CourierOptions;
  #messages: Message[] = [];
  #size = 0;
  #passage: Passage | undefined;
  /** Of the passage; undefined: they are not taken along, and whoever hears where the log stands reads them. */
  #lines: string[] | undefined = [];
  #along = 0;
  #busy = false;
  #pause: number = AGAIN.first;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  say(message: Message): void {
    this.#messages.push(message);
    this.#size += message.text.length;
    if (this.#size > MOST) this.#lose(new Error("too much waits for another object of this namespace"), this.#takeMessages());
  }

  /** The log has gone on. */
  tell(passage: Passage): void {
    this.#passage = { ...passage, after: this.#passage?.after ?? passage.after };
    for (const line of passage.lines) {
      this.#along += line.length;
      this.#lines?.push(line);
    }
    if (this.#along > ALONG) this.#lines = undefined;
  }

  /** A turn is over: what waits leaves, unless a parcel is on its way. */
  flush(): void {
    if (this.#busy || (this.#passage === undefined && this.#messages.length === 0)) return;
    this.#busy = true;
    void this.#carry();
  }

  async #carry(): Promise<void> {
    const { life, carry, delivered, gone } = this.#options;
    const passage = this.#takePassage();
    const messages = this.#takeMessages();
    try {
      const answer = await carry({ life, messages, ...(passage !== undefined && { passage }) });
      this.#pause = AGAIN.first;
      this.#busy = false;
      for (const one of answer.gone) gone(one);
      delivered?.(answer);
      this.flush();
    } catch (error) {
      if (passage !== undefined && this.#passage === undefined) {
        this.#passage = passage;
        this.#lines = undefined;
      }
      this.#lose(error, messages);
      // Nobody may come to say more: then it is told of what it missed by this.
      this.#options.after(this.#pause, () => {
        this.#busy = false;
        this.flush();
      });
      this.#pause = Math.min(2 * this.#pause, AGAIN.most);
    }
  }

  #lose(error: unknown, messages: readonly Message[]): void {
    const { reaches, gone, onError } = this.#options;
    onError(error);
    for (const life of new Set(messages.map(({ to }) => (to === ALL ? reaches() : to)))) if (life !== undefined) gone(life);
  }

  #takeMessages(): readonly Message[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#size = 0;
    return messages;
  }

  #takePassage(): Passage | undefined {
    if (this.#passage === undefined) return undefined;
    const passage = { ...this.#passage, lines: this.#lines ?? [] };
    this.#passage = undefined;
    this.#lines = [];
    this.#along = 0;
    return passage;
  }
}
