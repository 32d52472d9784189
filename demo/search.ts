import type { RouterEvent } from "../src/index.ts";

/** Whether an event has all the words in it, wherever and in whatever case. With no word, all have. */
export function matcherOf(words: string): (event: RouterEvent) => boolean {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (wanted.length === 0) return () => true;
  return (event) => {
    const text = JSON.stringify(event).toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
}
