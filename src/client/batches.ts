import type { Clock } from "../core/clock.ts";
import type { RouterEvent } from "../core/event.ts";
import type { Subscription } from "./subscription.ts";

/** Groups of up to `size` events; one that is not full is given `wait` ms after its first event. Its events count as done when the next is asked for. */
export async function* batches<E extends RouterEvent>(subscription: Subscription<E>, size: number, wait: number, clock: Clock): AsyncGenerator<E[], undefined, void> {
  const { feed } = subscription;
  try {
    for (let goesOn = true; goesOn; ) {
      const group: RouterEvent[] = [];
      let over = false;
      let cancel: (() => void) | undefined;
      do {
        for (let event; group.length < size && (event = feed.take()) !== undefined; ) group.push(event);
        if (group.length === size || over) break;
        if (group.length > 0) {
          cancel ??= clock.after(wait, () => {
            over = true;
            feed.changed();
          });
        }
        // What was gathered is given before a failure is thrown.
        try {
          goesOn = await feed.more();
        } catch (error) {
          if (group.length === 0) throw error;
          break;
        }
      } while (goesOn);
      cancel?.();
      if (group.length > 0) yield group as E[];
      for (const event of group) feed.finish(event);
    }
    return undefined;
  } finally {
    await subscription.unsubscribe();
  }
}
