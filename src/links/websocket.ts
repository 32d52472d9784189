import { ConnectionError } from "../core/errors.ts";
import type { Link, LinkListener } from "../core/link.ts";
import { comeBack, type ComeBackOptions } from "../core/come-back.ts";
import { evenSocket } from "./even-socket.ts";
import type { WebSocketConstructor, WebSocketLike } from "./websocket-like.ts";

export interface WebSocketLinkOptions extends ComeBackOptions {
  readonly url: string;
  /** Default: the platform's. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** ms until an attempt to open is given up. */
  readonly connectionTimeout: number;
}

const OPEN = 1;
/** Of the codes that a browser lets its page send. */
const NO_TEXT = 4003;
/** A connection that lasted so long, ms, was a good one: the next attempt is a first attempt again. A router that accepts and closes at once is backed off. */
const GOOD = 5_000;

/** A link over the platform's WebSocket, or the application's. */
export function webSocketLink(options: WebSocketLinkOptions): Link {
  return socketLink(evenSocket(options.WebSocket), options);
}

/** A link over sockets, a new one for each attempt: what one tells after another has taken its place is for nobody. */
export function socketLink(WebSocket: WebSocketConstructor, options: Omit<WebSocketLinkOptions, "WebSocket">): Link {
  const { url, clock, connectionTimeout } = options;
  let listener: LinkListener;
  let socket: WebSocketLike | undefined;
  let openedAt = 0;
  let phase: "trying" | "open" | "waiting" | "ended" = "trying";
  let onTime = (): void => {};

  const attempt = (): void => {
    phase = "trying";
    socket = undefined;
    try {
      const own = (socket = new WebSocket(url));
      onTime = clock.after(connectionTimeout, () => {
        if (socket === own) lost(`no answer within ${connectionTimeout} ms`);
        own.close();
      });
      const hear = (type: string, heard: (event: Partial<MessageEvent & CloseEvent & ErrorEvent>) => void): void => own.addEventListener(type, (event) => { if (socket === own) heard(event); });
      hear("open", () => {
        if (phase !== "trying") return;
        phase = "open";
        onTime();
        openedAt = clock.now();
        listener.open();
      });
      hear("message", ({ data }) => {
        if (phase !== "open") return;
        if (typeof data === "string") return listener.message(data);
        lost("it sent no text");
        own.close(NO_TEXT);
      });
      hear("close", ({ code, reason }) => lost(`closed with code ${code}${reason && `, ${reason}`}`));
      hear("error", ({ message, error }) => lost(message || "failed", error));
    } catch (error) {
      // An address that this page may not reach: ws from https.
      lost("refused by the platform", error);
    }
  };

  /** One failure may be told twice, as an error and as a close. */
  const lost = (why: string, cause?: unknown): void => {
    if (phase !== "trying" && phase !== "open") return;
    onTime();
    const was = phase === "open";
    if (was && clock.now() - openedAt >= GOOD) attempts.good();
    const final = !attempts.failed();
    phase = final ? "ended" : "waiting";
    listener.down(new ConnectionError(was ? "ERR_CONNECTION_LOST" : "ERR_CONNECTION_FAILED", `the connection to ${url} was ${was ? "lost" : "not made"}: ${why}; ${final ? "no more attempts: check the URL and that the router runs, then call reconnect()" : "trying again"}`, { retryable: !final, cause }), final);
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
      onTime();
      socket?.close();
      attempts.again(delay);
      if (was !== "waiting") listener.down(new ConnectionError("ERR_CONNECTION_LOST", `the connection to ${url} is made anew`, { retryable: true }), false);
    },
    close() {
      phase = "ended";
      onTime();
      attempts.stop();
      socket?.close();
    },
  };
}
