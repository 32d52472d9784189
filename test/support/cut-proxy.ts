import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";

/** `up`: from the client to the router. */
export type Direction = "up" | "down";

/** What becomes of a frame; frame 0 is the HTTP message that opens the WebSocket. */
export type Verdict =
  /** It arrives. */
  | "pass"
  /** It arrives, and then the connection is cut. */
  | "cut behind"
  /** Half of it arrives, and then the connection is cut. */
  | "cut inside"
  /** It stays on the way, with all that follows it in this direction, until a later connection is at work; then it arrives, late. Nobody is told. */
  | "hold";

export interface Passing { readonly direction: Direction; /** From 1. */ readonly connection: number; /** From 0, in this direction of this connection. */ readonly frame: number }

export interface CutProxy extends AsyncDisposable {
  readonly url: string;
  /** Frames that came, of the first connection. */
  readonly frames: Readonly<Record<Direction, number>>;
  readonly connections: number;
  /** Resolves when a frame is held. */
  readonly held: Promise<void>;
  /** Times that something was cut, and frames that arrived late. */
  readonly cuts: number;
  readonly late: number;
}

/** Frames of a connection that show that it is at work again: the router has welcomed the client, and has told it something more. */
const AT_WORK = 2;

/** A TCP proxy that knows where WebSocket frames begin and end, and asks for each what becomes of it. */
export async function cutProxy(port: number, decide: (passing: Passing) => Verdict): Promise<CutProxy> {
  const pipes = new Set<Pipe>();
  const frames = { up: 0, down: 0 };
  let connections = 0;
  let cuts = 0;
  let late = 0;
  let isHeld = (): void => {};
  const held = new Promise<void>((resolve) => { isHeld = resolve; });

  const server = createServer({ noDelay: true }, (client) => {
    const connection = ++connections;
    const pipe = new Pipe(client, connect({ port, host: "127.0.0.1", noDelay: true }), {
      decide(direction, frame) {
        if (connection === 1) frames[direction] = frame;
        if (direction === "down" && frame === AT_WORK) for (const older of pipes) if (older !== pipe) late += older.release();
        const verdict = decide({ direction, connection, frame });
        if (verdict === "cut behind" || verdict === "cut inside") cuts++;
        return verdict;
      },
      held: isHeld,
      gone: () => pipes.delete(pipe),
    });
    pipes.add(pipe);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    frames,
    held,
    get connections() { return connections; },
    get cuts() { return cuts; },
    get late() { return late; },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const pipe of pipes) pipe.destroy();
      await closed;
    },
  };
}

interface PipeEvents { decide(direction: Direction, frame: number): Verdict; held(): void; gone(): void }

/** One connection through the proxy. */
class Pipe {
  readonly #client: Socket;
  readonly #router: Socket;
  readonly #on: PipeEvents;
  #held: { readonly direction: Direction; readonly pieces: Buffer[] } | undefined;
  #open = 2;

  constructor(client: Socket, router: Socket, on: PipeEvents) {
    this.#client = client;
    this.#router = router;
    this.#on = on;
    this.#carry(client, router, "up");
    this.#carry(router, client, "down");
  }

  /** What was held arrives now, and that is the end of the connection. Returns how many frames that were. */
  release(): number {
    if (this.#held === undefined) return 0;
    const { direction, pieces } = this.#held;
    this.#held = undefined;
    (direction === "up" ? this.#router : this.#client).end(Buffer.concat(pieces));
    return pieces.length;
  }

  destroy(): void {
    this.#client.destroy();
    this.#router.destroy();
  }

  #carry(from: Socket, to: Socket, direction: Direction): void {
    let bytes = Buffer.alloc(0);
    let frame = 0;
    let open = true;
    from.on("error", () => {});
    from.on("data", (data) => {
      bytes = Buffer.concat([bytes, data]);
      for (let length = frame === 0 ? headLength(bytes) : frameLength(bytes); open && length <= bytes.length; length = frameLength(bytes)) {
        open = this.#pass(bytes.subarray(0, length), to, direction, frame++);
        bytes = bytes.subarray(length);
      }
    });
    from.on("end", () => { if (this.#held === undefined) to.end(); });
    from.on("close", () => {
      if (this.#held === undefined) to.destroySoon();
      if (--this.#open === 0) this.#on.gone();
    });
  }

  /** Whether more may pass in this direction. */
  #pass(piece: Buffer, to: Socket, direction: Direction, frame: number): boolean {
    if (this.#held?.direction === direction) {
      this.#held.pieces.push(piece);
      return true;
    }
    switch (this.#on.decide(direction, frame)) {
      case "pass":
        if (to.writable) to.write(piece);
        return true;
      case "cut behind":
        this.#cut(piece, direction);
        return false;
      case "cut inside":
        this.#cut(piece.subarray(0, piece.length >> 1), direction);
        return false;
      case "hold":
        this.#held = { direction, pieces: [piece] };
        this.#on.held();
        return true;
    }
  }

  /** The last bytes arrive, and then nothing more, in neither direction. */
  #cut(last: Buffer, direction: Direction): void {
    const [from, to] = direction === "up" ? [this.#client, this.#router] : [this.#router, this.#client];
    from.removeAllListeners("data").removeAllListeners("end");
    to.removeAllListeners("data").removeAllListeners("end");
    to.end(last);
    from.resetAndDestroy();
  }
}

/** Length of a message of HTTP without a body, Infinity if its end has not come. */
function headLength(bytes: Buffer): number {
  const end = bytes.indexOf("\r\n\r\n");
  return end < 0 ? Infinity : end + 4;
}

/** Length of a WebSocket frame (RFC 6455, 5.2), Infinity if its head has not come. */
function frameLength(bytes: Buffer): number {
  if (bytes.length < 2) return Infinity;
  const mask = bytes[1]! & 0x80 ? 4 : 0;
  const short = bytes[1]! & 0x7f;
  if (short < 126) return 2 + mask + short;
  if (short === 126) return bytes.length < 4 ? Infinity : 4 + mask + bytes.readUInt16BE(2);
  return bytes.length < 10 ? Infinity : 10 + mask + Number(bytes.readBigUInt64BE(2));
}
