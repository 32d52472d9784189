import { ConnectionError } from "../../src/core/errors.ts";
import type { Link, LinkListener } from "../../src/core/link.ts";

/** A process whose connection ends at a chosen message: the next is not sent, or not received. Its code knows nothing of it until it is told. */
export interface Mortal {
  readonly link: Link;
  /** Resolves when it is cut off. */
  readonly cut: Promise<void>;
  readonly isCut: boolean;
  /** It was only cut off: it is told so, comes back, and sends again what was not answered. It is not cut off again, nor later. */
  revive(): void;
  /** It is dead: its code comes to its end, for the test to leave nothing behind. */
  bury(): void;
}

/** @param life how many messages pass, in both directions */
export function mortal(connect: () => Link, life: number): Mortal {
  const cut = Promise.withResolvers<void>();
  let left = life;
  let state: "alive" | "cut" | "revived" = "alive";
  let listener: LinkListener;
  let inner: Link;
  const lost = (): ConnectionError => new ConnectionError("ERR_CONNECTION_LOST", "cut by the test", { retryable: true });
  const open = (): void => {
    const own = connect();
    inner = own;
    const current = (): boolean => inner === own && state !== "cut";
    own.start({
      open: () => { if (current()) listener.open(); },
      message: (message) => { if (current() && passes()) listener.message(message); },
      down: (error, final) => { if (current()) listener.down(error, final); },
    });
  };
  const passes = (): boolean => {
    if (state === "alive" && left-- === 0) {
      state = "cut";
      inner.close();
      cut.resolve();
    }
    return state !== "cut";
  };
  return {
    link: {
      start(on) {
        listener = on;
        open();
      },
      send: (message) => { if (passes()) inner.send(message); },
      restart: (delay) => { if (state !== "cut") inner.restart(delay); },
      close: () => inner.close(),
    },
    cut: cut.promise,
    get isCut() { return state === "cut"; },
    revive() {
      const before = state;
      state = "revived";
      if (before !== "cut") return;
      listener.down(lost(), false);
      open();
    },
    bury() {
      if (state === "cut") listener.down(lost(), true);
    },
  };
}
