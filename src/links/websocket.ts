import ReconnectingWebSocket from "partysocket/ws";
import { ConnectionError } from "../core/errors.ts";
import type { Link, LinkListener } from "../core/link.ts";
import { comeBack, type ComeBackOptions } from "./come-back.ts";

/** The part of a WebSocket constructor that is used: the platform's, or that of `ws`. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface WebSocketLike {
  readonly readyState: number;
  binaryType: string;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- events differ by platform
  addEventListener(type: string, listener: (event: any) => void): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  removeEventListener(type: string, listener: (event: any) => void): void;
}

export interface WebSocketLinkOptions extends ComeBackOptions {
  readonly url: string;
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** ms until an attempt to open is given up. */
  readonly connectionTimeout: number;
}

const OPEN = 1;
/** A connection that lasted so long, ms, was a good one: the next attempt is a first attempt again. A router that accepts and closes at once is backed off. */
const GOOD = 5_000;

/**
 * A link over a WebSocket. partysocket opens one and gives up in time; when to try again is decided here, so that a retry can be called off: its own
 * waiting cannot, and would keep a process alive after `close()`.
 */
export function webSocketLink(options: WebSocketLinkOptions): Link {
  const { url, clock } = options;
  let listener: LinkListener;
  let socket: ReconnectingWebSocket | undefined;
  let openedAt: number | undefined;
  let phase: "trying" | "open" | "waiting" | "ended" = "trying";

  const attempt = (): void => {
    phase = "trying";
    openedAt = undefined;
    if (socket !== undefined) return socket.reconnect();
    const own = new ReconnectingWebSocket(url, undefined, {
      WebSocket: options.WebSocket,
      maxEnqueuedMessages: 0,
      maxRetries: 0,
      shouldReconnectOnClose: () => false,
      connectionTimeout: options.connectionTimeout,
    });
    socket = own;
    // Listeners and no `on…`: those are called twice in workerd, by partysocket and by the platform's own EventTarget.
    own.addEventListener("open", () => {
      if (phase !== "trying") return;
      phase = "open";
      openedAt = clock.now();
      listener.open();
    });
    own.addEventListener("message", ({ data }: MessageEvent) => {
      if (phase !== "open") return;
      if (typeof data === "string") listener.message(data);
      else own.close(1003, "text only");
    });
    own.addEventListener("close", ({ code, reason }) => lost(`closed with code ${code}${reason === "" ? "" : `, ${reason}`}`));
    own.addEventListener("error", ({ message, error }) => lost(message === "TIMEOUT" ? `no answer within ${options.connectionTimeout} ms` : message || "failed", error));
  };

  /** One failure may be told twice, as an error and as a close. */
  const lost = (why: string, cause?: unknown): void => {
    if (phase !== "trying" && phase !== "open") return;
    const verb = phase === "open" ? "lost" : "not made";
    if (openedAt !== undefined && clock.now() - openedAt >= GOOD) attempts.good();
    const final = !attempts.failed();
    phase = final ? "ended" : "waiting";
    const next = final ? "no more attempts are made: check the URL and that the router runs, then call reconnect()" : "trying again";
    listener.down(new ConnectionError(verb === "lost" ? "ERR_CONNECTION_LOST" : "ERR_CONNECTION_FAILED", `the connection to ${url} was ${verb}: ${why}; ${next}`, { retryable: !final, cause }), final);
  };

  const attempts = comeBack(options, attempt);

  return {
    start(on) {
      listener = on;
      attempt();
    },
    send(message) {
      if (phase === "open" && socket!.readyState === OPEN) socket!.send(message);
    },
    restart(delay = 0) {
      if (phase === "ended") return;
      const was = phase;
      phase = "waiting";
      socket?.close(1000, "restart");
      attempts.again(delay);
      if (was === "open" || was === "trying") listener.down(new ConnectionError("ERR_CONNECTION_LOST", `the connection to ${url} is made anew`, { retryable: true }), false);
    },
    close() {
      phase = "ended";
      attempts.stop();
      socket?.close(1000, "bye");
    },
  };
}
