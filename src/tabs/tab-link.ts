import { steadyClock, type Clock } from "../core/clock.ts";
import { ConnectionError } from "../core/errors.ts";
import type { Link, LinkListener } from "../core/link.ts";
import { hold, whenReleased, type HubSays, type Locks, type UpstreamSettings, type Wire } from "./wire.ts";

/** Finds the hub, and another one when that is gone. */
export interface Carrier {
  start(on: CarrierListener): void;
  /** The hub does not answer, or has gone: finds it anew. */
  again(): void;
  close(): void;
}

export interface CarrierListener {
  /** There is a wire to a hub; an older one is void. */
  hub(wire: Wire): void;
  /** The hub is gone, or there is none; `final`: nor will there be. */
  lost(error: ConnectionError, final: boolean): void;
}

export interface TabLinkOptions {
  readonly carrier: Carrier;
  readonly upstream: UpstreamSettings | undefined;
  readonly clock: Clock;
  readonly locks: Locks | undefined;
  /** Names the lock by which the hub notices this tab's end: one of its own for each link. */
  readonly lock: string;
}

/** How long a hub may take to open a session, ms: at first briefly, since it may be one that is just ending, then twice as long each time. */
const PATIENCE = 500, MOST_PATIENCE = 8_000;
/** Before a session is opened again that the hub has ended, ms. */
const PAUSE = 250;

type Phase =
  | { readonly state: "seeking" | "ended" }
  | { readonly state: "opening" | "open" | "waiting"; readonly wire: Wire };

/** A link to the hub that all tabs of the origin share. */
export function tabLink({ carrier, upstream, clock: given, locks, lock }: TabLinkOptions): Link {
  const clock = steadyClock(given);
  let listener: LinkListener;
  let phase: Phase = { state: "seeking" };
  let number = 0;
  let patience = PATIENCE;
  /** Not before this time a session is opened. */
  let notBefore = 0;
  let callOff = (): void => {};
  let stopWatching: (() => void) | undefined;
  let letGo = (): void => {};

  const open = (wire: Wire): void => {
    callOff();
    const wait = notBefore - clock.now();
    if (wait > 0) {
      phase = { state: "waiting", wire };
      callOff = clock.after(wait, () => open(wire));
      return;
    }
    phase = { state: "opening", wire };
    wire.post({ open: ++number, upstream, lock: locks && lock });
    callOff = clock.after(patience, () => lost(new ConnectionError("ERR_CONNECTION_FAILED", "the worker, or the tab that leads, does not answer", { retryable: true })));
    patience = Math.min(2 * patience, MOST_PATIENCE);
  };

  const hear = (wire: Wire, said: HubSays): void => {
    if (!("wire" in phase) || phase.wire !== wire) return;
    if (typeof said === "string") {
      if (phase.state === "open") listener.message(said);
    } else if (Array.isArray(said)) {
      for (const message of said as string[]) if (phase.state === "open") listener.message(message);
    } else if ("opened" in said) {
      if (said.opened !== number || phase.state !== "opening") return;
      callOff();
      patience = PATIENCE;
      phase = { state: "open", wire };
      if (said.lock !== undefined && locks !== undefined) stopWatching ??= whenReleased(locks, said.lock, () => lost(gone()));
      listener.open();
    } else if ("closed" in said) {
      if (said.closed !== number || phase.state !== "open") return;
      notBefore = clock.now() + PAUSE;
      phase = { state: "waiting", wire };
      listener.down(new ConnectionError("ERR_CONNECTION_LOST", `the session was ended (${said.reason})`, { retryable: true }), false);
      open(wire);
    }
  };

  /** The hub is gone: seeks another. */
  const lost = (error: ConnectionError): void => {
    if (phase.state === "ended") return;
    forget();
    listener.down(error, false);
    carrier.again();
  };

  const forget = (): void => {
    callOff();
    stopWatching?.();
    stopWatching = undefined;
    phase = { state: "seeking" };
  };

  const begin = async (): Promise<void> => {
    // Held before the hub is told of it: else it would be free, as that of a tab that is gone.
    if (locks !== undefined) letGo = await hold(locks, lock);
    if (phase.state === "ended") return letGo();
    carrier.start({
      hub(wire) {
        if (phase.state === "ended") return;
        const before = phase.state;
        forget();
        if (before === "open") listener.down(gone(), false);
        wire.listen((said) => hear(wire, said as HubSays));
        open(wire);
      },
      lost(error, final) {
        if (phase.state === "ended") return;
        forget();
        if (final) phase = { state: "ended" };
        listener.down(error, final);
      },
    });
  };

  return {
    start(on) {
      listener = on;
      void begin();
    },
    send(message) {
      if (phase.state === "open") phase.wire.post(message);
    },
    restart(delay = 0) {
      notBefore = clock.now() + delay;
      if (!("wire" in phase)) return;
      const { state, wire } = phase;
      if (state !== "waiting") wire.post({ close: number, leave: false });
      phase = { state: "waiting", wire };
      if (state !== "waiting") listener.down(new ConnectionError("ERR_CONNECTION_LOST", "the connection is made anew", { retryable: true }), false);
      open(wire);
    },
    close() {
      if ("wire" in phase) phase.wire.post({ close: number, leave: true });
      forget();
      phase = { state: "ended" };
      letGo();
      carrier.close();
    },
  };
}

function gone(): ConnectionError {
  return new ConnectionError("ERR_CONNECTION_LOST", "the worker, or the tab that led, is gone; another takes over", { retryable: true });
}
