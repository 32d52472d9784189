import { context, propagation, SpanKind, SpanStatusCode, trace, type Span } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve } from "../../src/hosts/server.ts";

const exporter = new InMemorySpanExporter();

/** As an application does it, before it makes its clients. */
function register({ contexts = true } = {}): void {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  if (contexts) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

let names = 0;
const fresh = (): string => `traces-${++names}`;
const spanOf = (name: string) => exporter.getFinishedSpans().find((span) => span.name === name)!;
const inSpan = <T>(name: string, run: (span: Span) => Promise<T>): Promise<T> => trace.getTracer("test").startActiveSpan(name, (span) => run(span).finally(() => span.end()));

beforeEach(() => exporter.reset());
afterEach(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

test("where OpenTelemetry is present, a publish and its handler are spans of the publisher's trace, over the wire", async () => {
  register();
  await using server = await serve({ port: 0 });
  await using publisher = new EventRouterClient({ url: server.url });
  await using consumer = new EventRouterClient({ url: server.url });
  const handled = Promise.withResolvers<{ trace: string; header: string }>();
  await consumer.subscribe("order.*", async (event) => {
    await consumer.publish("payment.initiated", null);
    handled.resolve({ trace: trace.getActiveSpan()!.spanContext().traceId, header: event.headers!.traceparent! });
  });
  const traceId = await inSpan("checkout", async (span) => {
    await publisher.publish("order.placed", { total: 1 }, { headers: { region: "eu" } });
    return span.spanContext().traceId;
  });
  const seen = await handled.promise;
  await expect.poll(() => spanOf("process order.placed")).toBeDefined();
  const [checkout, published, processed, follow] = ["checkout", "publish order.placed", "process order.placed", "publish payment.initiated"].map(spanOf);
  expect(seen).toEqual({ trace: traceId, header: `00-${traceId}-${published!.spanContext().spanId}-01` });
  expect(published).toMatchObject({ kind: SpanKind.PRODUCER, parentSpanContext: { spanId: checkout!.spanContext().spanId }, attributes: { "messaging.system": "event_router", "messaging.destination.name": "order.placed" } });
  expect(processed).toMatchObject({ kind: SpanKind.CONSUMER, parentSpanContext: { spanId: published!.spanContext().spanId, isRemote: true }, attributes: { "messaging.operation.type": "process", "messaging.message.id": expect.stringMatching(/^evt_/) } });
  expect(follow!.parentSpanContext!.spanId).toBe(processed!.spanContext().spanId);
  expect(new Set([checkout, published, processed, follow].map((span) => span!.spanContext().traceId)).size).toBe(1);
});

test("a handler that throws ends its span with the error; a request and its responder are one trace", async () => {
  register();
  await using client = new EventRouterClient({ transport: "memory", namespace: fresh() });
  const failed = Promise.withResolvers<void>();
  client.onError(() => failed.resolve());
  await client.subscribe("bad.*", () => { throw new RangeError("too much"); });
  await client.publish("bad.event", null);
  await failed.promise;
  expect(spanOf("process bad.event")).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: "too much" }, events: [{ name: "exception" }] });
  await client.respond("calculator.add", () => trace.getActiveSpan()!.spanContext().traceId).ready;
  const [mine, theirs] = await inSpan("ask", async (span) => [span.spanContext().traceId, (await client.request("calculator.add")).payload]);
  expect(theirs).toBe(mine);
});

test("a trace that an event names is kept, and handlers in sequence keep their order", async () => {
  register();
  await using client = new EventRouterClient({ transport: "memory", namespace: fresh() });
  const seen: unknown[] = [];
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  await client.subscribe("a.*", (event) => void seen.push(event.payload));
  client.publishNowait("a.b", 1, { headers: { traceparent } });
  client.publishNowait("a.b", 2);
  await client.publishBatch([["a.b", 3], ["a.b", 4]]);
  await expect.poll(() => seen).toEqual([1, 2, 3, 4]);
  await expect.poll(() => exporter.getFinishedSpans().filter(({ name }) => name === "process a.b")).toHaveLength(4);
  const [first] = exporter.getFinishedSpans().filter(({ name }) => name === "process a.b");
  expect(first).toMatchObject({ parentSpanContext: { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" } });
});

test("without a manager of contexts the trace is carried all the same; without a provider nothing is", async () => {
  await using plain = new EventRouterClient({ transport: "memory", namespace: fresh() });
  const plainly = await plain.subscribe("a.*");
  await plain.publish("a.b", null);
  for await (const event of plainly) {
    expect(event.headers).toBeUndefined();
    break;
  }
  register({ contexts: false });
  await using client = new EventRouterClient({ transport: "memory", namespace: fresh() });
  const handled = Promise.withResolvers<string>();
  await client.subscribe("a.*", (event) => handled.resolve(event.headers!.traceparent!));
  await client.publish("a.b", null);
  const [, traceId, spanId] = (await handled.promise).split("-");
  await expect.poll(() => spanOf("process a.b")).toBeDefined();
  expect(spanOf("process a.b")).toMatchObject({ parentSpanContext: { traceId, spanId } });
});
