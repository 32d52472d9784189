import { once } from "node:events";
import { WebSocket, type ClientOptions } from "ws";
import type { ClientFrame, RouterFrame } from "../../src/core/frames.ts";

/** Speaks the frames of the protocol over a real socket, and keeps all that comes. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  readonly frames: RouterFrame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  #changed: (() => void)[] = [];

  constructor(url: string, options?: ClientOptions) {
    this.socket = new WebSocket(url, options);
    this.socket.on("error", () => {});
    this.socket.on("message", (data: Buffer) => {
      const text = data.toString();
      this.texts.push(text);
      if (text !== "pong") for (const line of text.split("\n")) this.frames.push(JSON.parse(line) as RouterFrame);
      this.#tell();
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#tell();
    });
  }

  /** A client that has been welcomed. */
  static async connect(url: string, hello: object = {}): Promise<SocketClient> {
    const client = new SocketClient(url);
    await once(client.socket, "open");
    client.say(["hello", { v: 1, ...hello }] as ClientFrame);
    await client.until(() => client.named("welcome").length > 0);
    return client;
  }

  say(...frames: readonly (ClientFrame | string)[]): void {
    this.socket.send(frames.map((frame) => (typeof frame === "string" ? frame : JSON.stringify(frame))).join("\n"));
  }

  /** Publishes events of these types in one message. */
  publish(req: number, ids: readonly string[], type = "a.b", payload: unknown = null): void {
    this.say(["pub", req, ids.length], ...ids.map((id) => JSON.stringify([id, type, payload])));
  }

  named<N extends RouterFrame[0]>(name: N): Extract<RouterFrame, readonly [N, ...unknown[]]>[] {
    return this.frames.filter((frame) => frame[0] === name) as never;
  }

  get ids(): string[] { return this.named("ev").flatMap((frame) => frame[2].map((line) => line[3])); }

  /** Waits until something has come after which it is true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  async ended(): Promise<{ readonly code: number; readonly reason: string }> {
    await this.until(() => this.closed !== undefined);
    return this.closed!;
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
