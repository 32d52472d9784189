import type { RunMark } from "./run-mark.ts";

/** A mark as text: `seq|top|singles|from-to,from-to`. The seq comes first, as the script that appends knows it best. */
export function markRest({ top, singles, missing }: RunMark): string {
  return `|${top}|${singles ? 1 : 0}|${missing.map(([from, to]) => `${from}-${to}`).join(",")}`;
}

export function readMark(text: string): RunMark {
  const [seq, top, singles, missing] = text.split("|") as [string, string, string, string];
  return {
    seq: Number(seq), top: Number(top), singles: singles === "1",
    missing: missing === "" ? [] : missing.split(",").map((range) => range.split("-").map(Number) as [number, number]),
  };
}
