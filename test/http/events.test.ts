import { expect, test } from "vitest";
import { httpApp } from "./http-app.ts";

const types = ["a.one", "b.two", "a.three", "b.four", "a.five"];

test("[P1] one event is published, and the answer says where it is", async () => {
  const { post, get } = httpApp();
  const event = { type: "user.created", payload: { id: 123, name: "Alice" }, priority: 7, source: "api", target: "mailer", correlation_id: "req-1", headers: { trace: "t" } };
  const { status, body } = await post("/api/v1/events", event);
  expect(status).toBe(201);
  expect(body).toEqual({ event_id: expect.stringMatching(/^evt_/), status: "published", timestamp: expect.stringMatching(/^\d{4}-.*Z$/), seq: 1, epoch: expect.any(String) });
  const { target: _, ...untargeted } = event;
  await post("/api/v1/events", untargeted);
  // A targeted event is for its target alone.
  const history = (await get("/api/v1/events")).body;
  expect(history).toEqual({ events: [{ ...untargeted, id: expect.any(String), seq: 2, epoch: body.epoch, timestamp: expect.any(String) }], next_cursor: null });
});

test("what is not said has its default", async () => {
  const { post, get } = httpApp();
  await post("/api/v1/events", { type: "bare" });
  expect((await get("/api/v1/events")).body.events[0]).toEqual({ id: expect.any(String), type: "bare", payload: null, seq: 1, epoch: expect.any(String), timestamp: expect.any(String), priority: 5 });
});

test("[P5] an array is published whole, with consecutive seqs, or not at all", async () => {
  const { post, get } = httpApp();
  const good = await post("/api/v1/events", [{ type: "a" }, { type: "b", payload: 2 }, { type: "c", id: "mine" }]);
  expect(good.status).toBe(201);
  expect(good.body.map(({ seq, status }: { seq: number; status: string }) => [seq, status])).toEqual([[1, "published"], [2, "published"], [3, "published"]]);
  expect(good.body[2].event_id).toBe("mine");
  const bad = await post("/api/v1/events", [{ type: "d" }, { type: "e", priority: 12 }]);
  expect(bad).toMatchObject({ status: 400, body: { code: "ERR_PRIORITY", path: "[1].priority" } });
  expect((await get("/api/v1/events")).body.events).toHaveLength(3);
});

test("[P4] an Idempotency-Key is honoured: a repeat tells of the first, another body is a conflict", async () => {
  const { post, get } = httpApp();
  const publish = (body: unknown, key = "key 1 / ä") => post("/api/v1/events", body, { "idempotency-key": encodeURIComponent(key) });
  const first = await publish({ type: "order.placed", payload: { total: 5 } });
  await post("/api/v1/events", { type: "between" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const second = await publish({ type: "order.placed", payload: { total: 5 } });
  expect(second.status).toBe(201);
  expect(second.body).toEqual({ ...first.body, status: "duplicate" });
  const other = await publish({ type: "order.placed", payload: { total: 6 } });
  expect(other).toMatchObject({ status: 409, body: { code: "ERR_ID_CONFLICT", detail: expect.stringContaining("new key") } });
  expect((await publish({ type: "order.placed", payload: { total: 6 } }, "another")).body).toMatchObject({ status: "published", seq: 3 });
  expect((await get("/api/v1/events")).body.events).toHaveLength(3);
});

test("[P4] [P5] an Idempotency-Key covers an array, and a longer or shorter one is a conflict", async () => {
  const { post, get } = httpApp();
  const publish = (values: readonly number[]) => post("/api/v1/events", values.map((payload) => ({ type: "n", payload })), { "idempotency-key": "k" });
  const first = (await publish([1, 2, 3])).body;
  expect((await publish([1, 2, 3])).body).toEqual(first.map((receipt: object) => ({ ...receipt, status: "duplicate" })));
  for (const values of [[1, 2, 3, 4], [1, 2], [1]]) expect((await publish(values)).status).toBe(409);
  expect((await get("/api/v1/events")).body.events).toHaveLength(3);
});

test("an event with an id of its own is stored once", async () => {
  const { post } = httpApp();
  const event = { type: "a", id: "order-1", payload: 1 };
  expect((await post("/api/v1/events", event)).body).toMatchObject({ event_id: "order-1", status: "published", seq: 1 });
  expect((await post("/api/v1/events", event)).body).toMatchObject({ event_id: "order-1", status: "duplicate", seq: 1 });
  expect((await post("/api/v1/events", { ...event, payload: 2 })).body).toMatchObject({ status: 409, code: "ERR_ID_CONFLICT" });
});

test("an ephemeral event reaches who listens, and is not stored", async () => {
  const { post, get, join } = httpApp();
  const listener = await join();
  listener.subscribe(1, "cursor.*");
  await expect.poll(() => listener.named("on").length).toBe(1);
  const { body } = await post("/api/v1/events", { type: "cursor.moved", payload: { x: 1 }, ephemeral: true });
  expect(body).toMatchObject({ status: "published", seq: 0 });
  await expect.poll(() => listener.eventsOf(1).length).toBe(1);
  expect((await get("/api/v1/events")).body.events).toEqual([]);
  expect(await post("/api/v1/events", [{ type: "a", ephemeral: true }, { type: "b" }])).toMatchObject({ status: 400, body: { code: "ERR_BODY", path: "ephemeral" } });
});

test("history is read in pages", async () => {
  const { post, get } = httpApp();
  await post("/api/v1/events", types.map((type, payload) => ({ type, payload })));
  const first = (await get("/api/v1/events?limit=2&topics=a.*")).body;
  expect(first.events.map(({ type }: { type: string }) => type)).toEqual(["a.one", "a.three"]);
  const second = (await get(`/api/v1/events?limit=2&topics=a.*&cursor=${first.next_cursor}`)).body;
  expect(second.events.map(({ type }: { type: string }) => type)).toEqual(["a.five"]);
  expect(second.next_cursor).toBeNull();
});

test("history is chosen by topics, filter, seq and time", async () => {
  const { post, get } = httpApp();
  await post("/api/v1/events", types.map((type, payload) => ({ type, payload: { n: payload } })));
  await new Promise((resolve) => setTimeout(resolve, 10));
  const later = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await post("/api/v1/events", { type: "a.late", payload: { n: 9 } });
  const read = async (query: string): Promise<string[]> => (await get(`/api/v1/events?${query}`)).body.events.map(({ type }: { type: string }) => type);
  expect(await read("topics=a.*,b.two")).toEqual(["a.one", "b.two", "a.three", "a.five", "a.late"]);
  expect(await read("filter=type:b.*,payload.n:gt:1")).toEqual(["b.four"]);
  expect(await read(`filter=${encodeURIComponent('{"payload.n":{"$in":[0,9]}}')}`)).toEqual(["a.one", "a.late"]);
  expect(await read("from=2&to=4")).toEqual(["b.two", "a.three", "b.four"]);
  expect(await read("to=2&limit=1")).toEqual(["a.one"]);
  expect(await read(`from=${later}`)).toEqual(["a.late"]);
  expect(await read(`to=${later.replace("Z", "%2B00:00")}`)).toEqual(types);
  expect((await get("/api/v1/events?from=2&to=3&limit=1")).body.next_cursor).toMatch(/:2$/);
  expect((await get("/api/v1/events?from=2&to=3&limit=2")).body.next_cursor).toBeNull();
});

test("a cursor of a log that is gone is 410", async () => {
  const { post, get } = httpApp();
  await post("/api/v1/events", { type: "a" });
  expect(await get("/api/v1/events?cursor=otherlife:7")).toMatchObject({ status: 410, body: { code: "ERR_CURSOR_EPOCH", title: "Gone" } });
});

test("[I16] namespaces do not see each other", async () => {
  const { post, get } = httpApp();
  await post("/api/v1/events?namespace=one", { type: "a" });
  await post("/api/v1/events?namespace=two", { type: "b" });
  expect((await get("/api/v1/events?namespace=one")).body.events.map(({ type }: { type: string }) => type)).toEqual(["a"]);
  expect((await get("/api/v1/events")).body.events).toEqual([]);
});
