/** A network that can be cut by hand, for WebSockets of this page: those that are open close, new ones fail at once. */
export class NetworkSwitch {
  readonly #open = new Set<WebSocket>();
  #cut = false;

  get cut(): boolean { return this.#cut; }
  set cut(cut: boolean) {
    this.#cut = cut;
    if (cut) for (const socket of this.#open) socket.close();
  }

  /** In place of the platform's constructor. */
  get WebSocket(): new (url: string) => WebSocket {
    const make = (url: string): WebSocket => this.#make(url);
    // Called with `new`, which an arrow function cannot be; what it returns is what is made.
    return function (url: string): WebSocket { return make(url); } as unknown as new (url: string) => WebSocket;
  }

  #make(url: string): WebSocket {
    const socket = this.#cut ? deadSocket(url) : new WebSocket(url);
    this.#open.add(socket);
    socket.addEventListener("close", () => this.#open.delete(socket));
    return socket;
  }
}

/** What a browser gives where there is no network, without its line in the console. */
function deadSocket(url: string): WebSocket {
  const socket = Object.assign(new EventTarget(), { url, readyState: WebSocket.CLOSED, binaryType: "blob", send() {}, close() {} });
  setTimeout(() => socket.dispatchEvent(new CloseEvent("close", { code: 1006, reason: "the network is cut" })));
  return socket as unknown as WebSocket;
}
