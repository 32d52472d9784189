import { CloudEvent, emitterFor, httpTransport, HTTP } from "cloudevents";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";

let server: RunningServer;
let names = 0;
/** Each test has a log of its own. */
const fresh = (): string => `ce-${++names}`;

beforeAll(async () => {
  server = await serve({ port: 0 });
});
afterAll(async () => {
  await server.close();
});

const at = (path: string, namespace: string, query = ""): string => `${server.url}/api/v1/${path}?namespace=${namespace}${query}`;

async function send(namespace: string, { headers, body }: { headers: object; body: unknown }, path = "events"): Promise<Response> {
  return fetch(at(path, namespace), { method: "POST", headers: headers as Record<string, string>, body: body as string });
}

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const event = new CloudEvent({
  id: "A234-1234-1234", source: "https://example.com/shop", type: "com.example.order.placed", subject: "order/42", time: "2026-01-02T03:04:05.678Z", dataschema: "https://example.com/schema",
  data: { total: 9.5, note: "ü ✓" }, comexampleextension: "a,b", correlationid: "req-1", priority: 8, traceparent,
});
/** What of an event must come back as it was. */
const said = ({ id, source, type, subject, time, dataschema, data, comexampleextension, correlationid, traceparent: trace }: CloudEvent<unknown>) => ({ id, source, type, subject, time, dataschema, data, comexampleextension, correlationid, trace });

test.each([["binary", HTTP.binary(event)], ["structured", HTTP.structured(event)]] as const)("an event that the SDK sends in %s mode comes back to it in each mode as it was", async (_mode, message) => {
  const space = fresh();
  const answer = await send(space, message);
  expect([answer.status, await answer.json()]).toEqual([201, expect.objectContaining({ event_id: "A234-1234-1234", status: "published", seq: 1 })]);
  for (const format of ["cloudevents", "cloudevents-binary"]) {
    const response = await fetch(at("events/1", space, `&format=${format}`));
    const back = HTTP.toEvent({ headers: Object.fromEntries(response.headers), body: await response.text() }) as CloudEvent<unknown>;
    expect(said(back)).toEqual(said(event));
    expect(back).toMatchObject({ routerseq: expect.toSatisfy((seq: unknown) => String(seq) === "1"), recordedtime: expect.any(String) });
    back.validate();
  }
  expect((await (await fetch(at("events/1", space))).json())).toMatchObject({
    type: "com.example.order.placed", payload: { total: 9.5 }, priority: 8, correlation_id: "req-1", source: "https://example.com/shop",
    headers: { "ce-subject": "order/42", "ce-time": "2026-01-02T03:04:05.678Z", "ce-dataschema": "https://example.com/schema", "ce-comexampleextension": "a,b", traceparent },
  });
});

test("the SDK's emitter publishes, and the same event again is stored once", async () => {
  const space = fresh();
  const emit = emitterFor(httpTransport(at("events", space)));
  await emit(event);
  await emit(event);
  expect((await (await fetch(at("events", space))).json() as { events: unknown[] }).events).toHaveLength(1);
});

test("a batch is published all or none, and a page of the log is one", async () => {
  const space = fresh();
  const batch = [1, 2, 3].map((number) => new CloudEvent({ id: `e${number}`, source: "/s", type: "a.b", data: number }));
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const [receipts, refused] = [await send(space, { headers, body: JSON.stringify(batch) }), await send(space, { headers, body: JSON.stringify([{ ...batch[0]!.toJSON(), id: "e9" }, { id: "e10", source: "/s", type: "a.b" }]) })];
  expect((await receipts.json() as { seq: number }[]).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ code: "ERR_BODY", path: "[1].specversion" })]);
  const page = await fetch(at("events", space, "&limit=2"), { headers: { accept: "application/cloudevents-batch+json" } });
  const events = HTTP.toEvent({ headers: Object.fromEntries(page.headers), body: await page.text() }) as CloudEvent<unknown>[];
  expect(events.map(({ id, data }) => [id, data])).toEqual([["e1", 1], ["e2", 2]]);
  const [, next] = /^<(.+)>; rel="next"$/.exec(page.headers.get("link")!)!;
  const last = await (await fetch(`${server.url}${next}`, { headers: { accept: "application/cloudevents-batch+json" } })).json() as { id: string; routerseq: string }[];
  expect(last).toMatchObject([{ id: "e3", routerseq: "3", specversion: "1.0", datacontenttype: "application/json" }]);
});

test("what a header cannot hold is percent-encoded there (HTTP binding 3.1.3), and nowhere else", async () => {
  const space = fresh();
  // The SDK leaves that to its caller.
  await send(space, { headers: { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "a", "ce-source": "/%C3%BC%20%22%25", "ce-plain": "100%" }, body: undefined });
  expect((await (await fetch(at("events/1", space))).json())).toMatchObject({ source: '/ü "%', headers: { "ce-plain": "100%" }, payload: null });
  const { headers } = await fetch(at("events/1", space, "&format=cloudevents-binary"));
  expect([headers.get("ce-source"), headers.get("ce-plain")]).toEqual(["/%C3%BC%20%22%25", "100%25"]);
});

test("text and bytes keep their content type", async () => {
  const space = fresh();
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
  const binary = (id: string, type: string): Record<string, string> => ({ "ce-specversion": "1.0", "ce-id": id, "ce-source": "/s", "ce-type": "a.b", "content-type": type });
  await send(space, { headers: binary("text", "text/plain; charset=utf-8"), body: "ü ✓" });
  await send(space, { headers: binary("bytes", "image/png"), body: bytes });
  const [text, image] = await Promise.all([1, 2].map((seq) => fetch(at(`events/${seq}`, space, "&format=cloudevents-binary"))));
  expect([text!.headers.get("content-type"), await text!.text()]).toEqual(["text/plain; charset=utf-8", "ü ✓"]);
  expect([image!.headers.get("content-type"), new Uint8Array(await image!.arrayBuffer())]).toEqual(["image/png", bytes]);
  expect(await (await fetch(at("events/2", space, "&format=cloudevents"))).json()).toMatchObject({ datacontenttype: "image/png", data_base64: Buffer.from(bytes).toString("base64") });
});

test("an event of the router's own is a CloudEvent too, on a stream of server-sent events as well", async () => {
  const space = fresh();
  await using client = new EventRouterClient({ url: server.url.replace(/^http/, "ws"), namespace: space });
  const { id, timestamp } = await client.publish("user.created", null, { target: "somebody" });
  const mine = await (await fetch(at("events/1", space, "&format=cloudevents&targets=any"))).json();
  expect(mine).toEqual({ specversion: "1.0", id, source: `/namespaces/${space}`, type: "user.created", time: timestamp, recordedtime: timestamp, target: "somebody", routerseq: "1", routerepoch: expect.any(String) });
  await client.publish("user.updated", 1);
  const stream = await fetch(at("events/stream", space, "&from=start&format=cloudevents"));
  let text = "";
  for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("data:")) break;
  }
  expect(JSON.parse(/^data: (.*)$/m.exec(text)![1]!)).toMatchObject({ specversion: "1.0", type: "user.updated", data: 1 });
});

test("a request that is a CloudEvent is answered with one, in the same mode", async () => {
  const space = fresh();
  await using client = new EventRouterClient({ url: server.url.replace(/^http/, "ws"), namespace: space });
  await client.respond("calculator.add", ({ payload: { x, y } }: { payload: { x: number; y: number } }) => ({ result: x + y })).ready;
  const question = new CloudEvent({ source: "/s", type: "calculator.add", data: { x: 1, y: 2 } });
  for (const message of [HTTP.binary(question), HTTP.structured(question)]) {
    const response = await send(space, message, "requests");
    const mode = response.headers.has("ce-id") ? "binary" : "structured";
    const answer = HTTP.toEvent({ headers: Object.fromEntries(response.headers), body: await response.text() }) as CloudEvent<unknown>;
    expect([mode, answer.data]).toEqual([message.headers["ce-id"] === undefined ? "structured" : "binary", { result: 3 }]);
  }
});

test.each([
  [{ "content-type": "application/cloudevents+json" }, '{"specversion":"0.3","id":"1","source":"/s","type":"a"}', 400, "specversion"],
  [{ "content-type": "application/cloudevents+json" }, '{"specversion":"1.0","id":"1","type":"a"}', 400, "source"],
  [{ "content-type": "application/cloudevents+json" }, '{"specversion":"1.0","id":"1","source":"/s","type":"a","camelCase":1}', 400, "camelCase"],
  [{ "content-type": "application/cloudevents+json" }, '{"specversion":"1.0","id":"1","source":"/s","type":"a","ext":{"a":1}}', 400, "ext"],
  [{ "content-type": "application/cloudevents+json" }, '{"specversion":"1.0","id":"spaces are none","source":"/s","type":"a"}', 400, "id"],
  [{ "content-type": "application/cloudevents+avro" }, "x", 415, undefined],
  [{ "ce-specversion": "1.0", "ce-id": "1", "ce-type": "a", "content-type": "application/json" }, "{}", 400, "source"],
  [{ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "a", "content-type": "application/json" }, "{", 400, undefined],
])("%j %s is refused by the name of what is wrong", async (headers, body, status, path) => {
  const response = await send(fresh(), { headers, body });
  expect([response.status, (await response.json() as { path?: string }).path]).toEqual([status, path]);
});
