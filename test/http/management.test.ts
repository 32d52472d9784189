import { expect, test } from "vitest";
import { httpApp } from "./http-app.ts";

test("stats are those of the seed and more, in snake_case", async () => {
  const { post, get, join } = httpApp();
  const reader = await join();
  reader.subscribe(1, "a.*");
  await expect.poll(() => reader.named("on").length).toBe(1);
  await post("/api/v1/events", [{ type: "a.b" }, { type: "c.d" }]);
  await post("/api/v1/events", { type: "not*a*type" });
  const { body } = await get("/api/v1/stats");
  expect(body).toMatchObject({ events_published: 2, events_delivered: 1, events_refused: 1, active_subscriptions: 1, queue_depth: 0, total_events: 2, error_rate: 1 / 3, uptime: expect.any(Number) });
  expect(Object.keys(body).filter((key) => /[A-Z]/.test(key))).toEqual([]);
});

test("subscriptions are listed", async () => {
  const { get, join } = httpApp();
  const reader = await join();
  reader.subscribe(7, { topics: ["a.*", "b"] } as never);
  await expect.poll(() => reader.named("on").length).toBe(1);
  const session = reader.welcome!.session;
  expect((await get("/api/v1/subscriptions")).body).toEqual([{ id: `${session}:7`, topics: ["a.*", "b"], client_id: session, lag: 0, in_flight: 0 }]);
});

test("health is as in the seed", async () => {
  expect(await httpApp().get("/health")).toMatchObject({ status: 200, body: { status: "healthy", checks: { transport: "ok", persistence: "ok", queue: "ok" } } });
});
