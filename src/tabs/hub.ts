import type { Outgoing, Port } from "../core/link.ts";
import type { Multiplexer, Upstream } from "./multiplexer.ts";
import { whenReleased, type Locks, type TabSays, type UpstreamSettings, type Wire } from "./wire.ts";

/** The router's side of a pipe, whichever router it is. */
interface TabSession { receive(message: string): void; disconnected(): void }

export interface HubOptions {
  readonly multiplexer: Multiplexer;
  upstream(settings: UpstreamSettings): Upstream;
  /** The router of this hub, for tabs that name none above. Made when the first asks for it. */
  ownRouter(): { connect(port: Port): TabSession };
  /** The hub has closed, so its router is to be. */
  closed?(): void;
  /** Without them a tab that dies without a word is not noticed before its pings stay away. */
  readonly locks: Locks | undefined;
  /** A lock that is held as long as this hub lives: how tabs notice its end. */
  readonly lock: string | undefined;
}

/** Where the tabs of an origin meet: in a SharedWorker, or in the tab that leads. */
export class Hub {
  readonly #options: HubOptions;
  readonly #desks = new Set<Desk>();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** A tab's wire. */
  attach(wire: Wire): void {
    const desk = new Desk(wire, this.#options, () => this.#desks.delete(desk));
    this.#desks.add(desk);
  }

  /** Sends all tabs to another hub. */
  close(): void {
    for (const desk of this.#desks) desk.leave("gone");
    this.#options.multiplexer.close();
    this.#options.closed?.();
  }
}

/** One tab at the hub: its sessions, one at a time. */
class Desk {
  readonly #wire: Wire;
  readonly #options: HubOptions;
  readonly #left: () => void;
  #session: TabSession | undefined;
  #watching: (() => void) | undefined;

  constructor(wire: Wire, options: HubOptions, left: () => void) {
    this.#wire = wire;
    this.#options = options;
    this.#left = left;
    wire.listen((said) => this.#hear(said as TabSays));
  }

  /** The tab is gone, or the hub goes. */
  leave(who: "tab" | "gone"): void {
    const session = this.#session;
    this.#session = undefined;
    session?.disconnected();
    this.#watching?.();
    if (who === "gone") this.#wire.post({ gone: true });
    this.#wire.close();
    this.#left();
  }

  #hear(said: TabSays): void {
    if (typeof said === "string") this.#session?.receive(said);
    else if ("ping" in said) this.#wire.post({ pong: true });
    else if ("open" in said) this.#open(said);
    else {
      this.#session?.disconnected();
      this.#session = undefined;
      if (said.leave) this.leave("tab");
    }
  }

  #open({ open: number, upstream, lock }: Extract<TabSays, { open: number }>): void {
    const { locks, multiplexer, ownRouter } = this.#options;
    this.#session?.disconnected();
    if (lock !== undefined && locks !== undefined) this.#watching ??= whenReleased(locks, lock, () => this.leave("tab"));
    this.#wire.post({ opened: number, lock: this.#options.lock });
    const port: Port = {
      send: (messages) => { if (this.#session === session) this.#wire.post(textOf(messages)); },
      close: (_code, reason) => {
        if (this.#session !== session) return;
        this.#session = undefined;
        this.#wire.post({ closed: number, reason });
      },
    };
    const session: TabSession = upstream === undefined ? ownRouter().connect(port) : multiplexer.connect(port, this.#options.upstream(upstream));
    this.#session = session;
  }
}

/** The messages of one turn go in one. */
function textOf(messages: readonly Outgoing[]): string | readonly string[] {
  return messages.length === 1 ? messages[0]!.text : messages.map(({ text }) => text);
}
