import { defaultLimits, type Limits } from "./limits.ts";
import type { LineMeta } from "./line.ts";
import type { Publication } from "./publish.ts";
import { checkEvent } from "./validate-event.ts";

/** What a client knows of a line that it has written itself. */
export interface KnownEvent {
  readonly id: string;
  readonly type: string;
  readonly line: string;
  /** Without the property, even as undefined, it is not known. */
  readonly text: { readonly meta?: LineMeta | undefined };
}

/**
 * What a line says, as a client of this process knows it: that it is JSON, and nested no deeper than the usual limit, need not be found out again; all else is
 * checked. Undefined: the line must be read, as one so long that the bytes of its payload are counted.
 * @throws ValidationError for what no event may say.
 */
export function knownLine(known: KnownEvent | undefined, line: string, limits: Limits): Publication | undefined {
  if (known?.line !== line || !("meta" in known.text) || !isFlat(known.text.meta) || line.length * 3 > limits.payload || limits.depth < defaultLimits.depth) return undefined;
  const { id, type, text: { meta } } = known;
  checkEvent(id, type, null, meta, 0, limits);
  return { id, type, meta, line };
}

/** What else there is may be somebody's who changes it, and JSON leaves out what is undefined. */
function isFlat(meta: LineMeta | undefined): boolean {
  for (const key in meta) {
    const kind = typeof meta[key as keyof LineMeta];
    if (kind !== "string" && kind !== "number") return false;
  }
  return true;
}
