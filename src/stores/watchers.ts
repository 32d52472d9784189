import type { LogEvent } from "../core/log-event.ts";

type Listener = (events: readonly LogEvent[]) => void;

/** The listeners of one log. */
export interface Watchers {
  add(listener: Listener): () => void;
  /** Tells all who listen now; never throws. A listener that throws harms no other: its error goes to `onError`. */
  tell(events: readonly LogEvent[]): void;
}

/** A listener may append: what it appends is told after what is being told, so that all hear everything in the order of the log. */
export function watchers(onError: (error: unknown) => void = throwLater): Watchers {
  const present = new Set<{ readonly listener: Listener }>();
  const queue: { readonly events: readonly LogEvent[]; readonly to: readonly { readonly listener: Listener }[] }[] = [];
  let telling = false;

  function drain(): void {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      for (const watcher of next.to) {
        if (!present.has(watcher)) continue;
        try {
          watcher.listener(next.events);
        } catch (error) {
          report(error);
        }
      }
    }
  }

  function report(error: unknown): void {
    try {
      onError(error);
    } catch (second) {
      throwLater(second);
    }
  }

  return {
    add(listener) {
      const watcher = { listener };
      present.add(watcher);
      return () => void present.delete(watcher);
    },
    tell(events) {
      if (events.length === 0) return;
      // Who listens is settled here: one that is added while others are told has these events below its head.
      queue.push({ events, to: [...present] });
      if (telling) return;
      telling = true;
      drain();
      telling = false;
    },
  };
}

/** Nobody asked for the error, so it is left to the platform as an uncaught one rather than lost. */
function throwLater(error: unknown): void {
  queueMicrotask(() => { throw error; });
}
