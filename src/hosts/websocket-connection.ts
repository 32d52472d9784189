import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { malformed } from "../core/frame-reader.ts";
import { PONG } from "../core/frames.ts";
import type { Outgoing, Port } from "../core/link.ts";
import type { Caller } from "../core/policy.ts";
import type { Router } from "../core/router.ts";
import type { Session } from "../core/session.ts";
import type { FrameWriter } from "./websocket-frame.ts";

/** Silent sweeps after which a peer is taken for gone: it sends a sign of life each heartbeat. */
const SILENT = 3;
/** Sweeps in a row that find too much unwritten. */
const CLOGGED = 2;
/** Unwritten bytes above which a pong would tell a peer nothing that the bytes before it do not: who sends pings and never reads must not fill the memory. */
const NO_PONG = 64 * 1024;

/** Where a socket keeps its connection: listeners are the same functions for all sockets, since four of their own for each would be a tenth of what an idle one costs. */
const CONNECTION = Symbol("connection");
type OwnSocket = WebSocket & { [CONNECTION]?: Connection };

/** One WebSocket and the session behind it. */
export class Connection implements Port {
  readonly #socket: OwnSocket;
  readonly #wire: Duplex | undefined;
  readonly #writer: FrameWriter;
  readonly #session: Session;
  readonly #gone: (connection: Connection) => void;
  /** Sweeps since the last message; so no clock is read for each. */
  #silent = 0;
  #clogged = 0;

  constructor(socket: WebSocket, { router, writer, caller, gone }: { router: Router; writer: FrameWriter; caller: Caller; gone(connection: Connection): void }) {
    this.#socket = socket;
    this.#wire = wireOf(socket);
    this.#writer = writer;
    this.#session = router.connect(this, caller);
    this.#gone = gone;
    this.#socket[CONNECTION] = this;
    socket.on("message", Connection.#onMessage).on("ping", Connection.#onPing).on("error", Connection.#onError).on("close", Connection.#onClose);
  }

  static #onMessage(this: OwnSocket, data: Buffer | string, isBinary: boolean): void {
    this[CONNECTION]!.#receive(data, isBinary);
  }

  static #onPing(this: OwnSocket, data: Buffer): void {
    if (this[CONNECTION]!.#unwritten <= NO_PONG) this.pong(data);
  }

  /** Bad frames, texts that are not UTF-8, messages over the limit: `ws` has answered with the close code for it and reads no more. */
  static #onError(this: OwnSocket): void {
    this[CONNECTION]!.#session.disconnected();
  }

  static #onClose(this: OwnSocket): void {
    const connection = this[CONNECTION]!;
    connection.#session.disconnected();
    connection.#gone(connection);
  }

  #receive(data: Buffer | string, isBinary: boolean): void {
    this.#silent = 0;
    if (isBinary) this.#session.end(malformed("messages are text, this one is binary"));
    else if (typeof data === "string") this.#session.receive(data, Buffer.byteLength(data));
    else this.#session.receive(data.toString(), data.length);
  }

  /** One write for everything: what fan-out costs is the number of writes. */
  send(messages: readonly Outgoing[]): void {
    if (this.#socket.readyState !== this.#socket.OPEN || messages.length === 0) return;
    const wire = this.#wire;
    if (wire === undefined) {
      for (const { text } of messages) this.#socket.send(text);
      return;
    }
    if (messages[0]!.text === PONG && wire.writableLength > NO_PONG) return;
    const pieces = this.#writer.bytes(messages);
    if (pieces.length === 1) wire.write(pieces[0]);
    else {
      wire.cork();
      for (const piece of pieces) wire.write(piece);
      wire.uncork();
    }
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Reads no more, so that what was read can be finished; `resume` lets the closing handshake through. */
  pause(): void {
    this.#socket.pause?.();
  }

  resume(): void {
    this.#socket.resume?.();
  }

  /** Once each heartbeat: ends a peer that has gone without a word, or that holds more than `mostUnwritten` bytes in this process for long. */
  sweep(mostUnwritten: number): void {
    this.#clogged = this.#unwritten > mostUnwritten ? this.#clogged + 1 : 0;
    if (++this.#silent > SILENT || this.#clogged >= CLOGGED) this.terminate();
  }

  get #unwritten(): number { return this.#wire?.writableLength ?? this.#socket.bufferedAmount; }

  /** Ends it without a closing handshake, which such a peer would not answer. */
  terminate(): void {
    this.#socket.terminate();
  }
}

/**
 * The socket that `ws` reads and writes; bytes may be written to it between frames of `ws`, which writes each frame whole and at once if there is no
 * compression. Undefined on Bun, whose own `ws` (1.4, November 2026) has no such socket: there each message is a `send`.
 */
function wireOf(socket: WebSocket): Duplex | undefined {
  const wire = (socket as unknown as { _socket?: Duplex | null })._socket;
  return typeof wire?.write === "function" && typeof wire.cork === "function" ? wire : undefined;
}
