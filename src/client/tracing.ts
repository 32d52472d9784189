import type { EventInit } from "../core/event.ts";
import type { Handler } from "./handle-events.ts";
import { openTelemetry, TRACER } from "./open-telemetry.ts";

/**
 * The event with the trace (W3C Trace Context) it is published in: a span of its own, which ends at once, since what follows happens elsewhere. An event that names
 * its trace keeps it.
 */
export function inTrace<E extends EventInit>(event: E): E {
  const { type, headers } = event;
  const span = headers?.traceparent ? undefined : openTelemetry()?.trace?.getTracer(TRACER).startSpan(`publish ${type}`, { kind: 3, attributes: { "messaging.system": "event_router", "messaging.destination.name": type } });
  span?.end();
  const { traceId, spanId, traceFlags, traceState } = span?.spanContext() ?? {};
  // A tracer that does nothing makes spans of zeros.
  return +`0x${traceId}` ? { ...event, headers: { ...headers, traceparent: `00-${traceId}-${spanId}-0${traceFlags! & 1}`, ...(traceState && { tracestate: traceState.serialize() }) } } : event;
}

/** Runs a handler in a span that goes on with the trace of its event. */
export function traced<H extends Handler<never>>(handler: H): H {
  if (!openTelemetry()?.trace) return handler;
  const module = import("./process-span.ts");
  return (async (event: never, context) => (await module).processSpan(event, () => handler(event, context))) as Handler<never> as H;
}
