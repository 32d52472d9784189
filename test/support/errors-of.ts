import type { WireError } from "../../src/core/errors.ts";
import type { RouterFrame } from "../../src/core/frames.ts";

/** The errors that a router's frame tells of. */
export function errorsOf(frame: RouterFrame): readonly WireError[] {
  switch (frame[0]) {
    case "bye": return [frame[1]];
    case "err": return [frame[2]];
    case "end": return frame[2] === undefined ? [] : [frame[2]];
    case "pub": return frame[3].filter((one): one is WireError => Array.isArray(one) && typeof one[0] === "string");
    default: return [];
  }
}

/**
 * The code by which a router would admit a fault of its own; undefined if there is none. What a responder says of itself (`RemoteError`) is its own.
 */
export function faultOf(frame: RouterFrame): string | undefined {
  return errorsOf(frame).find(([name, code]) => name !== "RemoteError" && (!code.startsWith("ERR_") || ["ERR_INTERNAL", "ERR_STORE", "ERR_REQUEST"].includes(code)))?.[1];
}
