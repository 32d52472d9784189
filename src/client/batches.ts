import type { Clock } from "../core/clock.ts";

/**
 * Groups of up to `size` items; a group is given `wait` ms after its first item though it is not full. At the end the rest is given.
 * An item counts as done when the next one is asked for, so all but the last of a group do when the group is given.
 */
export async function* batches<T>(source: AsyncIterator<T, undefined>, size: number, wait: number, clock: Clock): AsyncGenerator<T[], void> {
  let pending: Promise<IteratorResult<T, undefined>> | undefined;
  try {
    for (;;) {
      const first = await (pending ?? source.next());
      pending = undefined;
      if (first.done === true) return;
      const group = [first.value];
      let over = false;
      let cancel = (): void => {};
      const time = new Promise<undefined>((resolve) => (cancel = clock.after(wait, () => resolve(undefined))));
      try {
        while (group.length < size && !over) {
          pending = source.next();
          // A failure is met when the next group is asked for; until then it is no unhandled rejection.
          pending.catch(() => {});
          const next = await Promise.race([pending, time]);
          if (next === undefined || next.done === true) over = true;
          else {
            group.push(next.value);
            pending = undefined;
          }
        }
      } catch {
        // The events before the failure are given first.
      } finally {
        cancel();
      }
      yield group;
    }
  } finally {
    await source.return?.();
  }
}
