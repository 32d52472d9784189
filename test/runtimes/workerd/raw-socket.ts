import { SELF, type PlatformSocket } from "cloudflare:test";
import type { ClientFrame, RouterFrame } from "../../../src/core/frames.ts";
import type { EventLine } from "../../../src/core/line.ts";

/** One WebSocket to an object, which says what it is told to and keeps what comes. */
export class RawSocket {
  readonly frames: RouterFrame[] = [];
  /** UTF-16 units that came. */
  received = 0;
  closed: number | undefined;
  pongs = 0;
  readonly #socket: PlatformSocket;
  #wake = (): void => {};

  private constructor(socket: PlatformSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (data === "pong") this.pongs++;
      else {
        this.received += (data as string).length;
        for (const line of (data as string).split("\n")) this.frames.push(JSON.parse(line) as RouterFrame);
      }
      this.#wake();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
      this.#wake();
    });
    socket.accept();
  }

  /** @param query of the URL, behind the namespace */
  static async open(namespace: string, headers: Readonly<Record<string, string>> = {}, query = ""): Promise<RawSocket> {
    const { webSocket, status } = await SELF.fetch(`http://edge/ws?namespace=${namespace}${query}`, { headers: { Upgrade: "websocket", ...headers } });
    if (webSocket === null) throw new Error(`no upgrade, ${status}`);
    return new RawSocket(webSocket);
  }

  static async welcomed(namespace: string, hello: object = {}, headers: Readonly<Record<string, string>> = {}, query = ""): Promise<RawSocket> {
    const socket = await RawSocket.open(namespace, headers, query);
    socket.say(["hello", { v: 1, namespace, ...hello }]);
    await socket.until(() => socket.named("welcome").length > 0);
    return socket;
  }

  say(...frames: readonly (ClientFrame | string)[]): void {
    this.#socket.send(frames.map((frame) => (typeof frame === "string" ? frame : JSON.stringify(frame))).join("\n"));
  }

  async until(there: () => boolean): Promise<void> {
    while (!there()) {
      if (this.closed !== undefined) throw new Error(`closed with ${this.closed}: ${JSON.stringify(this.frames.at(-1))}`);
      await new Promise<void>((resolve) => { this.#wake = resolve; });
    }
  }

  named<N extends RouterFrame[0]>(name: N): Extract<RouterFrame, readonly [N, ...unknown[]]>[] {
    return this.frames.filter((frame) => frame[0] === name) as never;
  }

  get events(): readonly EventLine[] { return this.named("ev").flatMap((frame) => frame[2]); }
  get seqs(): number[] { return this.events.map(([seq]) => seq); }
  answered(req: number): boolean { return this.frames.some((frame) => (frame[0] === "pub" || frame[0] === "ok" || frame[0] === "err") && frame[1] === req); }
  close(): void { this.#socket.close(1000); }
}
