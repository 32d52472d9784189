import { checkFunction } from "./check-options.ts";
import type { PublishInit } from "./publisher.ts";

/** The tail of `(…, handler)` and `(…, options, handler)`. */
export type Tail = readonly [unknown, unknown?];

/** The event of `publish(type, payload, options)` or `publish(event, options)`. */
export function eventOf(typeOrEvent: string | PublishInit, payload: unknown, options?: object): PublishInit {
  // What is no type is sent as it is: the router says what is right.
  if (typeof typeOrEvent === "object" && typeOrEvent !== null) return payload === undefined ? typeOrEvent : { ...typeOrEvent, ...payload };
  return options === undefined ? { type: typeOrEvent, payload } : { ...options, type: typeOrEvent, payload };
}

/** One or several; whether they are patterns is for the router to say. */
export function patternsOf(topics: string | readonly string[]): readonly string[] {
  return Array.isArray(topics) ? [...topics as readonly string[]] : [topics as string];
}

export function optionsAndHandler([first, second]: Tail): [options: object, handler: unknown] {
  const [options, handler] = second === undefined ? [{}, first] : [first as object, second];
  checkFunction(handler, "handler");
  return [options, handler];
}
