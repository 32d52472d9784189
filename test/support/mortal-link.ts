import { ConnectionError } from "../../src/core/errors.ts";
import type { Link, LinkListener } from "../../src/core/link.ts";

/** A process that ends at a chosen message: from then on nothing of it reaches the router, and nothing reaches it. */
export interface Mortal {
  link(inner: Link): Link;
  /** Resolves when it is dead. */
  readonly died: Promise<void>;
  readonly dead: boolean;
  /** Messages that passed, in both directions. */
  readonly passed: number;
  /** Lets the corpse's code come to its end, for the test to leave nothing behind. */
  bury(): void;
}

/** @param last how many messages it lives for; the next is not sent, or not received */
export function mortal(last: number): Mortal {
  const died = Promise.withResolvers<void>();
  let passed = 0;
  let dead = false;
  let listener: LinkListener | undefined;
  let close = (): void => {};
  const passes = (): boolean => {
    if (!dead && passed === last) {
      dead = true;
      close();
      died.resolve();
    }
    if (!dead) passed++;
    return !dead;
  };
  return {
    died: died.promise,
    get dead() { return dead; },
    get passed() { return passed; },
    link: (inner) => ({
      start(on) {
        listener = on;
        close = () => inner.close();
        inner.start({
          open: () => { if (!dead) on.open(); },
          message: (message) => { if (passes()) on.message(message); },
          down: (error, final) => { if (!dead) on.down(error, final); },
        });
      },
      send: (message) => { if (passes()) inner.send(message); },
      restart: (delay) => { if (!dead) inner.restart(delay); },
      close: () => inner.close(),
    }),
    bury() {
      if (dead) listener?.down(new ConnectionError("ERR_CONNECTION_LOST", "the process is gone"), true);
    },
  };
}
