import type { Context } from "hono";
import type { EventBody } from "./schemas.ts";

/** W3C Trace Context: version, trace, parent, flags. All zeros are none. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;
/** As long as a header of an event may be by default, and twice what the standard asks everybody to pass on. */
const LONGEST_STATE = 1_024;

/** The event with the trace of its request, so that its handlers can go on with it; unless it says itself to which it belongs. What is malformed is ignored, as the standard asks. */
export function carryTrace<B extends Pick<EventBody, "headers">>({ req }: Context, body: B): B {
  const parent = req.header("traceparent");
  if (parent === undefined || !TRACEPARENT.test(parent) || body.headers?.traceparent !== undefined) return body;
  const state = req.header("tracestate");
  return { ...body, headers: { ...body.headers, traceparent: parent, ...(state !== undefined && state.length <= LONGEST_STATE && { tracestate: state }) } };
}
