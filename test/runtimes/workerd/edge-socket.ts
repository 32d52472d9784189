import { SELF, type PlatformSocket } from "cloudflare:test";

/** A WebSocket to the worker under test, as a client's `WebSocket` option takes it: inside workerd there is no network to go by. */
export function edgeSockets(headers: Readonly<Record<string, string>> = {}): { readonly EdgeSocket: new (url: string) => EdgeSocketLike; cut(): void } {
  const open = new Set<PlatformSocket>();
  class EdgeSocket extends EventTarget implements EdgeSocketLike {
    readyState = 0;
    binaryType = "blob";
    #socket: PlatformSocket | undefined;

    constructor(url: string) {
      super();
      void this.#open(url.replace(/^ws/, "http"));
    }

    async #open(url: string): Promise<void> {
      try {
        const response = await SELF.fetch(url, { headers: { Upgrade: "websocket", ...headers } });
        const socket = response.webSocket;
        if (socket === null) throw new Error(`${response.status} ${await response.text()}`);
        if (this.readyState !== 0) {
          socket.accept();
          return socket.close(1000);
        }
        this.#socket = socket;
        open.add(socket);
        socket.addEventListener("message", ({ data }) => this.dispatchEvent(new MessageEvent("message", { data })));
        socket.addEventListener("close", ({ code, reason }) => this.#ended(code, reason));
        socket.addEventListener("error", () => this.#ended(1006, "error"));
        socket.accept();
        this.readyState = 1;
        this.dispatchEvent(new Event("open"));
      } catch (error) {
        this.#ended(1006, String(error));
      }
    }

    send(data: string): void { this.#socket?.send(data); }

    close(code = 1000, reason = ""): void {
      const socket = this.#socket;
      if (this.readyState > 1) return;
      try {
        socket?.close(code, reason);
      } catch {
        // It is closed.
      }
      this.#ended(code, reason);
    }

    #ended(code: number, reason: string): void {
      if (this.readyState === 3) return;
      this.readyState = 3;
      if (this.#socket !== undefined) open.delete(this.#socket);
      this.dispatchEvent(new CloseEvent("close", { code, reason }));
    }
  }
  return {
    EdgeSocket,
    cut() {
      for (const socket of open) {
        open.delete(socket);
        socket.close(1001, "cut");
        socket.dispatchEvent(new CloseEvent("close", { code: 1006, reason: "cut" }));
      }
    },
  };
}

interface EdgeSocketLike extends EventTarget {
  readonly readyState: number;
  binaryType: string;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}
