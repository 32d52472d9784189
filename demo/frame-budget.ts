import { setText } from "./dom.ts";
import { decimal } from "./format.ts";

/** How long a frame may take at 60 a second (ms). */
export const BUDGET = 1_000 / 60;

/** Measures the page's frames: the longest of the last second, which is what a person feels. */
export class FrameBudget {
  #longest = 0;
  #before = 0;

  constructor() {
    const frame = (now: number): void => {
      // A page in the background has no frames; what passed meanwhile is none.
      if (this.#before > 0 && document.visibilityState === "visible") this.#longest = Math.max(this.#longest, now - this.#before);
      this.#before = document.visibilityState === "visible" ? now : 0;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** The longest frame since the last call (ms); 0 if there was none. */
  take(): number {
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }
}

/** Says each second how long the longest frame was, and whether one was missed. */
export function showFrames(element: HTMLElement): void {
  const frames = new FrameBudget();
  setInterval(() => {
    const longest = frames.take();
    if (longest === 0) return;
    // What a screen shows is never earlier than its next turn: up to half a frame more is none that was missed.
    element.dataset.tone = longest < BUDGET * 1.5 ? "good" : longest < 100 ? "warn" : "bad";
    setText(element, `longest frame ${decimal(longest)} ms of ${decimal(BUDGET)}`);
  }, 1_000);
}
