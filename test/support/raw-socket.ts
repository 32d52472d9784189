import { WebSocket } from "ws";
import { PONG, type RouterFrame } from "../../src/core/frames.ts";

/** One WebSocket that says what it is told to, and keeps what comes. */
export class RawSocket {
  readonly frames: RouterFrame[] = [];
  /** UTF-16 units that came, heartbeats not counted. */
  received = 0;
  closed: number | undefined;
  readonly #socket: WebSocket;
  #waiting: (() => void)[] = [];
  onFrames: (frames: readonly RouterFrame[]) => void = () => {};

  private constructor(url: string) {
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data: Buffer) => this.#take(data.toString()));
    this.#socket.on("close", (code) => {
      this.closed = code;
      this.#settle();
    });
  }

  static async open(url: string): Promise<RawSocket> {
    const one = new RawSocket(url);
    await new Promise<void>((resolve, reject) => {
      one.#socket.once("open", resolve);
      one.#socket.once("error", reject);
    });
    return one;
  }

  say(message: string): void { this.#socket.send(message); }
  /** Bytes as a text or a binary message, whatever they are. */
  sayBytes(bytes: Uint8Array, binary: boolean): void { this.#socket.send(bytes, { binary }); }

  /** Resolves when the router has read what was said, or the socket is gone. */
  async heard(): Promise<void> {
    if (this.closed !== undefined) return;
    const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#socket.send("ping");
    await answered;
  }

  async close(): Promise<void> {
    if (this.closed !== undefined) return;
    const gone = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    this.#socket.close();
    await gone;
  }

  #take(message: string): void {
    if (message === PONG) return this.#settle();
    this.received += message.length;
    const frames = message.split("\n").map((line) => JSON.parse(line) as RouterFrame);
    this.frames.push(...frames);
    this.onFrames(frames);
  }

  #settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
