/** The part of `@opentelemetry/api`, version 1, that is used, as an application's SDK registers it: so it is found without being a dependency. */
export interface OpenTelemetry {
  readonly trace?: { getTracer(name: string): { startSpan(name: string, options: { readonly kind: number; readonly attributes: Readonly<Record<string, unknown>> }, context?: Context): Span } };
  readonly context?: { active(): Context; with<T>(context: Context, run: () => T): T };
}

export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
  deleteValue(key: symbol): Context;
}

export interface SpanContext { readonly traceId: string; readonly spanId: string; readonly traceFlags: number; readonly isRemote?: boolean; readonly traceState?: { serialize(): string } }

export interface Span {
  spanContext(): Partial<SpanContext>;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  recordException(error: unknown): void;
  end(): void;
}

/** The name under which spans are made. */
export const TRACER = "@gadugi/event-router";

/** Undefined where no application has registered it. */
export function openTelemetry(): OpenTelemetry | undefined {
  return (globalThis as { [key: symbol]: OpenTelemetry | undefined })[Symbol.for("opentelemetry.js.api.1")];
}

/** Whether what this client does is to be traced. */
export function isTraced(): boolean {
  return openTelemetry()?.trace !== undefined;
}
