import { expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve } from "../../src/hosts/server.ts";
import { httpApp } from "./http-app.ts";

test("an event is held back by REST, and comes when its time has come", async () => {
  await using server = await serve({ port: 0 });
  await using client = new EventRouterClient({ url: server.url });
  const came = Promise.withResolvers<string>();
  await client.subscribe("reminder.*", ({ id, type }) => came.resolve(`${type} ${id}`));
  const answer = await fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"type":"reminder.due","id":"r-1","delay":"50ms"}' });
  expect([answer.status, await answer.json()]).toEqual([201, { event_id: "r-1", status: "published", timestamp: expect.any(String), seq: null, epoch: expect.any(String) }]);
  expect(await came.promise).toBe("reminder.due r-1");
});

test("what is held back until a time waits in the router, and the same again is a duplicate", async () => {
  const { post, get } = httpApp();
  const event = { type: "a", id: "one", deliver_at: "2100-01-01T00:00:00Z" };
  expect((await post("/api/v1/events", event)).body).toMatchObject({ status: "published", seq: null });
  expect((await post("/api/v1/events", event)).body).toMatchObject({ status: "duplicate", seq: null });
  expect((await get("/api/v1/stats")).body).toMatchObject({ delayed_events: 1 });
  expect((await get("/api/v1/events")).body.events).toEqual([]);
});

test.each([
  [[{ type: "a", delay: "1s" }, { type: "b" }], "delay"],
  [{ type: "a", delay: "1s", deliver_at: "2100-01-01T00:00:00Z" }, "delay"],
  [{ type: "a", delay: "1s", ephemeral: true }, "delay"],
  [{ type: "a", deliver_at: "tomorrow" }, "deliver_at"],
  [{ type: "a", delay: "soon" }, "delay"],
  [{ type: "a", ttl: "soon" }, "ttl"],
])("%j is refused by the name of what is wrong", async (body, path) => {
  expect(await httpApp().post("/api/v1/events", body)).toMatchObject({ status: 400, body: { path } });
});

test("an event's time to live is shown as milliseconds", async () => {
  const { post, get } = httpApp();
  await post("/api/v1/events", { type: "a", ttl: "10m" });
  expect((await get("/api/v1/events")).body.events).toMatchObject([{ ttl: 600_000 }]);
});
