import type { Flags, Node } from "./parse.ts";

/** How every match of an expression begins. */
export interface Opening {
  /** Only at the start of the text. */
  readonly anchored: boolean;
  /** With these characters, as they are. */
  readonly prefix: string;
  /** What follows them. */
  readonly rest: Node;
}

/**
 * Nearly every expression of a filter begins with `^` or with plain characters, or with both: then most texts are told by a comparison or a search of
 * the engine's own, and the automaton reads only what is left.
 */
export function opening(root: Node, { ignoreCase, multiline, unicode }: Flags): Opening {
  const parts = root.kind === "sequence" ? root.parts : [root];
  const anchored = !multiline && parts[0]?.kind === "assertion" && parts[0].assertion === "start";
  const start = anchored ? 1 : 0;
  let prefix = "";
  for (const part of ignoreCase ? [] : parts.slice(start)) {
    if (part.kind !== "character" || part.negated) break;
    const [first, last, ...others] = part.set;
    // With `u` half a pair is not found within a whole one, which a comparison would.
    if (first === undefined || first !== last || others.length > 0 || (unicode && first >= 0xd800)) break;
    prefix += String.fromCharCode(first);
  }
  return { anchored, prefix, rest: { kind: "sequence", parts: parts.slice(start + prefix.length) } };
}
