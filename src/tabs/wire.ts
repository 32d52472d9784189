/** An ordered pipe between a tab and the hub, whatever carries it. Frames of the protocol go over it as text, several messages of a turn as a list. */
export interface Wire {
  post(said: TabSays | HubSays): void;
  listen(listener: (said: unknown) => void): void;
  close(): void;
}

/** How the hub is to reach a router above; none: the hub's own router is all there is. */
export interface UpstreamSettings {
  readonly url: string;
  readonly enabled: boolean;
  readonly maxAttempts: number;
  readonly backoff: "exponential" | "fixed";
  readonly minDelay: number;
  readonly maxDelay: number;
}

export type TabSays =
  | string
  /** A new session; the one before is over. `lock` is held by the tab as long as it lives. */
  | { readonly open: number; readonly upstream: UpstreamSettings | undefined; readonly lock: string | undefined }
  /** The session is over; a tab that leaves will not open another over this wire. */
  | { readonly close: number; readonly leave: boolean }
  | { readonly ping: true };

export type HubSays =
  | string
  | readonly string[]
  /** `lock` is held by the hub as long as it lives. */
  | { readonly opened: number; readonly lock: string | undefined }
  | { readonly closed: number; readonly reason: string }
  /** The hub is going: there will be another. */
  | { readonly gone: true }
  | { readonly pong: true }
  /** A leader has taken the wire; `secret` is for who leads after it. */
  | { readonly attached: true; readonly secret: string };

interface PortLike {
  postMessage(data: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** A wire over a MessagePort, or over a BroadcastChannel that only two have. */
export function portWire(port: PortLike): Wire {
  return {
    post: (said) => port.postMessage(said),
    // Setting onmessage starts a MessagePort.
    listen: (listener) => { port.onmessage = ({ data }) => listener(data); },
    close: () => port.close(),
  };
}

/** What is used of the Web Locks API. */
export interface Locks {
  request(name: string, options: { readonly mode?: "exclusive" | "shared"; readonly steal?: boolean; readonly signal?: AbortSignal }, callback: () => unknown): Promise<unknown>;
}

/** Calls back when whoever holds a lock has gone: closed, crashed, or let go. Returns how to stop waiting. */
export function whenReleased(locks: Locks, name: string, callback: () => void): () => void {
  const controller = new AbortController();
  locks.request(name, { mode: "shared", signal: controller.signal }, callback).catch(() => {});
  return () => controller.abort();
}

/** Holds a lock until it is let go, or this context ends. Resolves when it is held, with how to let go. */
export function hold(locks: Locks, name: string): Promise<() => void> {
  return new Promise((held, failed) => {
    locks.request(name, {}, () => new Promise<void>((release) => held(release))).catch(failed);
  });
}
