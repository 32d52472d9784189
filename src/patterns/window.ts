import type { Clock } from "../core/clock.ts";
import { milliseconds } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { isLast } from "./is-last.ts";
import type { EventWindow, WindowOptions, WindowSource } from "./window-options.ts";

/** How long to wait before the router is asked again whether it has more, ms. */
const ASK_AGAIN = 1_000;

/** Where time stands: the newest event's, and when it came by this client's clock. Their difference never matters: clocks may be an hour apart. */
interface Mark<E> { readonly event: E; readonly time: number; readonly came: number }

/** Gives each window when time has passed its end. No timer is left when the reader leaves. */
export async function* windows<E extends RouterEvent>(source: WindowSource<E>, late: () => void): AsyncGenerator<EventWindow<E>, undefined, void> {
  const { stream, tools: { clock } } = source;
  const events = stream[Symbol.asyncIterator]();
  /** Of the open windows, in the order they came. */
  let held: { readonly time: number; readonly event: E }[] = [];
  /** Where the first open window starts; undefined before the first event. */
  let start: number | undefined;
  let newest: Mark<E> | undefined;
  let waiting: Promise<IteratorResult<E, undefined>> | undefined;

  const close = (from: number, size: number, slide: number): EventWindow<E> => {
    const window = windowOf(from, from + size, held.filter(({ time }) => time >= from && time < from + size).map(({ event }) => event));
    start = from + slide;
    held = held.filter(({ time }) => time >= from + slide);
    return window;
  };

  try {
    const { size, slide, allowedLateness } = settingsOf(source.options);
    for (let askAt = 0; ; ) {
      const due: number = start === undefined ? Infinity : start + size + allowedLateness;
      if (newest !== undefined && newest.time >= due) {
        yield close(start!, size, slide);
        continue;
      }
      waiting ??= events.next();
      const result: IteratorResult<E, undefined> | "quiet" = newest === undefined ? await waiting : await orQuiet(waiting, clock, Math.max(newest.came + due - newest.time, askAt));
      if (result !== "quiet") {
        waiting = undefined;
        if (result.done === true) return undefined;
        const event = result.value;
        const time = Date.parse(event.timestamp);
        // The first window that has the event: of a sliding one those are several.
        start ??= (Math.floor((time - size) / slide) + 1) * slide;
        if (time < start) late();
        else held.push({ time, event });
        if (newest === undefined || time >= newest.time) newest = { event, time, came: clock.now() };
        continue;
      }
      // Events may be on their way still: after a cut, or because this reader was slow. Then they come first.
      if (await isLast(newest!.event, source).catch(() => false)) yield close(start!, size, slide);
      else askAt = clock.now() + ASK_AGAIN;
    }
  } finally {
    // Nobody waits for it any more.
    waiting?.catch(() => {});
    await stream.unsubscribe();
  }
}

/** What comes, or "quiet" if nothing has at this time. */
function orQuiet<T>(waiting: Promise<T>, clock: Clock, at: number): Promise<T | "quiet"> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, at - clock.now()), () => resolve("quiet"));
    waiting.finally(cancel).then(resolve, reject);
  });
}

function windowOf<E extends RouterEvent>(start: number, end: number, events: readonly E[]): EventWindow<E> {
  return { start: new Date(start), end: new Date(end), events, length: events.length, [Symbol.iterator]: () => events[Symbol.iterator]() };
}

/** @throws ValidationError naming the option. */
function settingsOf({ size, slide = size, allowedLateness = 0 }: WindowOptions): { readonly size: number; readonly slide: number; readonly allowedLateness: number } {
  const settings = { size: milliseconds(size, "size"), slide: milliseconds(slide, "slide"), allowedLateness: milliseconds(allowedLateness, "allowedLateness") };
  if (settings.slide === 0 || settings.slide > settings.size) throw new ValidationError("ERR_OPTION", "slide must be more than 0 and at most size, or events would be in no window", { details: { path: "slide" } });
  return settings;
}
