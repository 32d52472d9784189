import { EventRouterError } from "../../src/core/errors.ts";

/** What no application does, and so no router may say to it. */
const UNEXPECTED = new Set(["ERR_PROTOCOL", "ERR_INTERNAL", "ERR_FRAME", "ERR_REQUEST", "ERR_FILTER", "ERR_PATTERN"]);

/** Whether an application must reckon with an error in a world in which all goes wrong. */
export function isExpected(error: unknown): boolean {
  return error instanceof EventRouterError && !UNEXPECTED.has(error.code);
}
