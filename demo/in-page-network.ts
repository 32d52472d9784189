import type { Router } from "../src/router.ts";
import { Lane } from "./lane.ts";

type Session = ReturnType<Router["connect"]>;

/** A network between this page and the router in it, as bad as one likes. What a socket promises holds: it is late or it breaks, but it mixes nothing up. */
export class InPageNetwork {
  /** ms, in each direction. */
  delay = 0;
  /** Of a hundred messages, how many take the connection with them, and all that is under way. */
  drop = 0;
  readonly #router: Router;
  readonly #open = new Set<InPageSocket>();
  #cut = false;

  constructor(router: Router) {
    this.#router = router;
  }

  get cut(): boolean { return this.#cut; }
  set cut(cut: boolean) {
    this.#cut = cut;
    if (cut) this.breakAll();
  }

  /** Breaks what is open, once. */
  breakAll(): void {
    for (const socket of this.#open) socket.break("the network is cut");
  }

  /** In place of the platform's constructor. */
  get WebSocket(): new (url: string) => WebSocket {
    const make = (url: string): InPageSocket => {
      const socket = new InPageSocket(url, this, this.#router);
      this.#open.add(socket);
      socket.addEventListener("close", () => this.#open.delete(socket));
      return socket;
    };
    // Called with `new`, which an arrow function cannot be; what it returns is what is made.
    return function (url: string): InPageSocket { return make(url); } as unknown as new (url: string) => WebSocket;
  }
}

/** The part of a WebSocket that a client uses, over a session of the router in the page. */
class InPageSocket extends EventTarget {
  readonly url: string;
  binaryType = "blob";
  readyState: number = WebSocket.CONNECTING;
  readonly #network: InPageNetwork;
  readonly #up = new Lane();
  readonly #down = new Lane();
  #session: Session | undefined;

  constructor(url: string, network: InPageNetwork, router: Router) {
    super();
    this.url = url;
    this.#network = network;
    if (network.cut) setTimeout(() => this.break("the network is cut"));
    else this.#down.put(() => {
      this.readyState = WebSocket.OPEN;
      this.#session = router.connect({
        send: (messages) => { for (const { text } of messages) this.#carry(this.#down, () => this.dispatchEvent(new MessageEvent("message", { data: text }))); },
        close: (code, reason) => this.#down.put(() => this.#end(code, reason), network.delay),
      });
      this.dispatchEvent(new Event("open"));
    }, network.delay);
  }

  send(text: string): void {
    if (this.readyState === WebSocket.OPEN) this.#carry(this.#up, () => this.#session?.receive(text));
  }

  close(code = 1000, reason = ""): void {
    if (this.readyState >= WebSocket.CLOSING) return;
    this.readyState = WebSocket.CLOSING;
    // What was sent before still arrives.
    this.#up.put(() => this.#end(code, reason), this.#network.delay);
  }

  /** As when a cable is pulled. */
  break(reason: string): void {
    this.#end(1006, reason);
  }

  #carry(lane: Lane, deliver: () => void): void {
    if (Math.random() * 100 < this.#network.drop) this.break("the connection was lost");
    else lane.put(deliver, this.#network.delay);
  }

  #end(code: number, reason: string): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    this.#up.clear();
    this.#down.clear();
    const session = this.#session;
    this.#session = undefined;
    // Not inside a call of the router's own.
    queueMicrotask(() => {
      session?.disconnected();
      this.dispatchEvent(new CloseEvent("close", { code, reason }));
    });
  }
}
