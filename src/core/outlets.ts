import { ConnectionError } from "./errors.ts";
import type { Reader } from "./reader.ts";

/** Sessions that have something to send: everything that comes together in a turn leaves together, in one write per session. */
export class Outlets {
  readonly #mostUnread: number;
  readonly #defer: (callback: () => void) => void;
  readonly #failed: (error: unknown) => void;
  #waiting: Reader[] = [];
  #planned = false;

  /** @param options.mostUnread size that a peer may leave unread before it is taken for one that never reads */
  constructor(options: { mostUnread: number; defer(callback: () => void): void; failed(error: unknown): void }) {
    this.#mostUnread = options.mostUnread;
    this.#defer = options.defer;
    this.#failed = options.failed;
  }

  add(reader: Reader): void {
    this.#waiting.push(reader);
    if (this.#planned) return;
    this.#planned = true;
    this.#defer(() => {
      this.#planned = false;
      this.flush();
    });
  }

  flush(): void {
    const readers = this.#waiting;
    this.#waiting = [];
    for (const reader of readers) {
      const { owner } = reader;
      if (owner.state === "closed") continue;
      try {
        owner.port.send(reader.take());
      } catch (error) {
        // A host that cannot send has lost this one pipe; the others get theirs.
        this.#failed(error);
        owner.disconnected();
        continue;
      }
      if (reader.onWay > this.#mostUnread) owner.end(new ConnectionError("ERR_SLOW", "the client does not read what it asked for; it may connect again and read faster", { retryable: true }));
    }
  }
}
