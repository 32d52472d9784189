import type { Clock } from "../core/clock.ts";
import { ConnectionError } from "../core/errors.ts";
import type { Link, LinkListener } from "../core/link.ts";

/** The part of a WebSocket constructor that is used: the platform's, or that of `ws`. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- events differ by platform
  addEventListener(type: string, listener: (event: any) => void): void;
}

export interface WebSocketLinkOptions {
  readonly url: string;
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  random(): number;
  /** Whether a lost connection is made anew. */
  readonly enabled: boolean;
  /** Attempts in a row. */
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "fixed";
  /** ms */
  readonly minDelay: number;
  /** ms */
  readonly maxDelay: number;
  /** ms until an attempt to open is given up. */
  readonly connectionTimeout: number;
}

const OPEN = 1;
/** A connection that lasted so long, ms, was a good one: the next attempt is a first attempt again. A router that accepts and closes at once is backed off. */
const GOOD = 5_000;

/**
 * A link over WebSockets, one after another. When to try again is decided here, so that it can be called off.
 * Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function webSocketLink(options: WebSocketLinkOptions): Link {
  const { url, clock, random, minDelay, maxDelay } = options;
  let listener: LinkListener;
  let socket: WebSocketLike | undefined;
  let attempts = 0;
  let openedAt: number | undefined;
  let phase: "trying" | "open" | "waiting" | "ended" = "trying";
  let callOff = (): void => {};

  const attempt = (): void => {
    phase = "trying";
    openedAt = undefined;
    try {
      listen((socket = new (options.WebSocket ?? WebSocket)(url)));
    } catch (error) {
      // As a page on https does that names a ws URL. Told later, as all that fails.
      queueMicrotask(() => lost(String(error), error));
    }
  };

  /** What one says that another has followed is of no interest. */
  const listen = (own: WebSocketLike): void => {
    const on = (type: string, hear: Parameters<WebSocketLike["addEventListener"]>[1]): void => own.addEventListener(type, (event) => { if (own === socket) hear(event); });
    callOff = clock.after(options.connectionTimeout, () => {
      lost(`no answer within ${options.connectionTimeout} ms`);
      own.close();
    });
    on("open", () => {
      if (phase !== "trying") return;
      callOff();
      phase = "open";
      openedAt = clock.now();
      listener.open();
    });
    on("message", ({ data }) => {
      if (phase !== "open") return;
      if (typeof data === "string") return listener.message(data);
      lost("it sent bytes, which no event router does");
      own.close();
    });
    on("close", ({ code, reason }) => lost(`closed with code ${code}${reason === "" ? "" : `, ${reason}`}`));
    on("error", ({ message, error }) => lost(message || "failed", error));
  };

  /** One failure may be told twice, as an error and as a close. */
  const lost = (why: string, cause?: unknown): void => {
    if (phase !== "trying" && phase !== "open") return;
    callOff();
    const verb = phase === "open" ? "lost" : "not made";
    if (openedAt !== undefined && clock.now() - openedAt >= GOOD) attempts = 0;
    const final = !options.enabled || attempts >= options.maxAttempts;
    phase = final ? "ended" : "waiting";
    const next = final ? "no more attempts are made: check the URL and that the router runs, then call reconnect()" : "trying again";
    if (!final) wait(options.backoff === "fixed" ? minDelay : random() * Math.min(maxDelay, minDelay * 2 ** attempts));
    attempts++;
    listener.down(new ConnectionError(verb === "lost" ? "ERR_CONNECTION_LOST" : "ERR_CONNECTION_FAILED", `the connection to ${url} was ${verb}: ${why}; ${next}`, { retryable: !final, cause }), final);
  };

  const wait = (delay: number): void => {
    callOff();
    callOff = clock.after(delay, attempt);
  };

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
      attempts = 0;
      socket?.close(1000, "restart");
      wait(delay);
      if (was === "open" || was === "trying") listener.down(new ConnectionError("ERR_CONNECTION_LOST", `the connection to ${url} is made anew`, { retryable: true }), false);
    },
    close() {
      phase = "ended";
      callOff();
      socket?.close(1000, "bye");
    },
  };
}
