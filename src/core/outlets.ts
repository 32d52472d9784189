import { ConnectionError } from "./errors.ts";
import type { Outgoing } from "./link.ts";
import type { Reader } from "./reader.ts";

/** Where what sessions have to send leaves. What is queued leaves together: everything that comes together in a turn leaves together, in one write per session. */
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
      this.#send(reader, reader.take());
      if (reader.onWay > this.#mostUnread) reader.owner.end(new ConnectionError("ERR_SLOW", "the client does not read what it asked for; it may connect again and read faster", { retryable: true }));
    }
  }

  /**
   * A frame that other sessions get as well; the caller has asked `fits`. It leaves at once, so that the first readers have it while the last are still written to; but what
   * is queued goes before it, and with an answer that is about to come it is one write.
   */
  pass(reader: Reader, messages: readonly [Outgoing]): void {
    if (reader.unanswered === 0 && reader.overtakes(messages[0])) this.#send(reader, messages);
    else reader.deliver(messages[0]);
  }

  #send({ owner }: Reader, messages: readonly Outgoing[]): void {
    if (owner.state === "closed") return;
    try {
      owner.port.send(messages);
    } catch (error) {
      // A host that cannot send has lost this one pipe; the others get theirs.
      this.#failed(error);
      owner.disconnected();
    }
  }
}
