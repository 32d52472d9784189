import type { RouterEvent } from "../core/event.ts";
import { openTelemetry, TRACER, type Context } from "./open-telemetry.ts";

/** Under this every version 1 keeps the span of a context. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");

/** A context for where no application has registered a manager of them. */
class OwnContext implements Context {
  readonly #values: ReadonlyMap<symbol, unknown>;
  constructor(values: ReadonlyMap<symbol, unknown> = new Map()) {
    this.#values = values;
  }
  getValue(key: symbol): unknown { return this.#values.get(key); }
  setValue(key: symbol, value: unknown): Context { return new OwnContext(new Map(this.#values).set(key, value)); }
  deleteValue(key: symbol): Context { return new OwnContext(new Map([...this.#values].filter(([one]) => one !== key))); }
}

/** Runs what handles an event in a span whose parent is where the event was published, so that what it publishes belongs to the same trace. */
export async function processSpan<T>(event: RouterEvent, run: () => T): Promise<Awaited<T>> {
  const { trace, context } = openTelemetry() ?? {};
  if (trace === undefined) return await run();
  const here = context?.active() ?? new OwnContext();
  const parent = parentOf(event.headers?.traceparent);
  const attributes = {
    "messaging.system": "event_router", "messaging.operation.type": "process", "messaging.operation.name": "process",
    "messaging.destination.name": event.type, "messaging.message.id": event.id, "messaging.message.conversation_id": event.correlationId,
  };
  const span = trace.getTracer(TRACER).startSpan(`process ${event.type}`, { kind: 4, attributes }, parent === undefined ? here : here.setValue(SPAN, parent));
  try {
    return await (context === undefined ? run() : context.with(here.setValue(SPAN, span), run));
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: 2, message: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    span.end();
  }
}

/** A span of elsewhere, as a parent. */
function parentOf(traceparent: string | undefined): { spanContext(): object } | undefined {
  const [, traceId, spanId, flags] = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(traceparent ?? "") ?? [];
  if (traceId === undefined) return undefined;
  return { spanContext: () => ({ traceId, spanId, traceFlags: parseInt(flags!, 16), isRemote: true }) };
}
