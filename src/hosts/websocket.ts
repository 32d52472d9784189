import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type ServerOptions } from "ws";
import { EventRouterError } from "../core/errors.ts";
import type { Router } from "../core/router.ts";
import { problemOf } from "../http/problem.ts";
import { callerOf } from "./peer.ts";
import { Connection } from "./websocket-connection.ts";
import { FrameWriter } from "./websocket-frame.ts";

export interface WebSocketHostOptions {
  readonly router: Router;
  /** Milliseconds between two sweeps for peers that have gone. */
  readonly heartbeat: number;
  /** Why an upgrade is refused, undefined if it is not. */
  refuse?(request: IncomingMessage): EventRouterError | undefined;
}

/** Sessions over WebSockets, on the upgrades of an HTTP server. */
export interface WebSocketHost {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly connections: number;
  /** Looks once at all connections; it does so by itself each heartbeat. */
  sweep(): void;
  /** Reads no more from anyone. */
  pause(): void;
  /** Waits until the peers have answered the close, at most `timeout` ms. The router has said goodbye before. */
  close(timeout: number): Promise<void>;
}

/** Windows of unread bytes that a peer may hold in this process; what is under credit never comes near it. */
const UNWRITTEN_WINDOWS = 8;

/** Pieces that one message may come in. Each costs far more memory than its bytes; none of our clients, and no browser, sends more than a few. */
const FRAGMENTS = 256;

/** ms that a peer has to answer a close; after that its socket is ended. */
const FAREWELL = 2_000;

/** Where clients connect; the second, since a URL may end with the port. */
export const WEBSOCKET_PATHS: readonly string[] = ["/ws", "/"];

export function webSocketHost({ router, heartbeat, refuse = () => undefined }: WebSocketHostOptions): WebSocketHost {
  const writer = new FrameWriter();
  const connections = new Set<Connection>();
  const server = new WebSocketServer({ noServer: true, clientTracking: false, autoPong: false, perMessageDeflate: false, maxPayload: router.limits.frame, maxFragments: FRAGMENTS, closeTimeout: FAREWELL } as ServerOptions);
  const sweep = (): void => {
    for (const connection of connections) connection.sweep(UNWRITTEN_WINDOWS * router.limits.windowSize);
  };
  const timer = setInterval(sweep, heartbeat);
  timer.unref();
  let closed: (() => void) | undefined;
  const gone = (connection: Connection): void => {
    connections.delete(connection);
    if (connections.size === 0) closed?.();
  };

  return {
    upgrade(request, socket, head) {
      // A peer may vanish before the upgrade is done; without a listener that would end the process.
      socket.on("error", destroyed);
      const refused = WEBSOCKET_PATHS.includes(pathOf(request)) ? refuse(request) : new EventRouterError("ERR_NOT_FOUND", `WebSockets are at ${WEBSOCKET_PATHS[0]}`);
      if (refused !== undefined) return answer(socket, refused);
      server.handleUpgrade(request, socket, head, (one) => {
        const ticket = ticketOf(request);
        connections.add(new Connection(one, { router, writer, gone, caller: { ...callerOf(request), ...(ticket !== undefined && { ticket }) } }));
      });
    },
    get connections() { return connections.size; },
    sweep,
    pause() {
      for (const connection of connections) connection.pause();
    },
    async close(timeout) {
      clearInterval(timer);
      for (const connection of connections) connection.resume();
      if (connections.size > 0) {
        const late = setTimeout(() => {
          for (const connection of connections) connection.terminate();
        }, timeout);
        await new Promise<void>((resolve) => { closed = resolve; });
        clearTimeout(late);
      }
      server.close();
    },
  };
}

/** One for all sockets: a function made in `upgrade` would hold the request, with all its headers, for as long as the socket lives. */
function destroyed(this: Duplex): void {
  this.destroy();
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0]!;
}

/** Of a page that cannot say more than a URL: see `POST /api/v1/tickets`. */
function ticketOf({ url = "/" }: IncomingMessage): string | undefined {
  return new URLSearchParams(url.split("?", 2)[1]).get("ticket") ?? undefined;
}

/** A refusal in the words of HTTP, since there is no WebSocket yet. */
function answer(socket: Duplex, error: EventRouterError): void {
  const refused = problemOf(error);
  const body = JSON.stringify(refused);
  socket.end(`HTTP/1.1 ${refused.status} ${refused.title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
