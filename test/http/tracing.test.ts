import { expect, test } from "vitest";
import { httpApp } from "./http-app.ts";

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

test("the trace of a request is the trace of its events, unless they name their own", async () => {
  const { post, get } = httpApp();
  const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await post("/api/v1/events", [{ type: "a", headers: { region: "eu" } }, { type: "b", headers: { traceparent: own } }], { traceparent, tracestate: "vendor=1" });
  const { body: { events } } = await get("/api/v1/events");
  expect(events.map(({ headers }: { headers: object }) => headers)).toEqual([{ region: "eu", traceparent, tracestate: "vendor=1" }, { traceparent: own }]);
});

test.each(["nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", traceparent.toUpperCase()])("a trace that is none is ignored: %s", async (wrong) => {
  const { post, get } = httpApp();
  expect((await post("/api/v1/events", { type: "a" }, { traceparent: wrong })).status).toBe(201);
  expect((await get("/api/v1/events")).body.events[0].headers).toBeUndefined();
});

test("[P4] who tries again in another trace publishes nothing twice", async () => {
  const { post } = httpApp();
  const again = traceparent.replace("00f067aa0ba902b7", "00f067aa0ba902b8");
  expect((await post("/api/v1/events", { type: "a", payload: 1 }, { traceparent, "idempotency-key": "k" })).body.status).toBe("published");
  expect((await post("/api/v1/events", { type: "a", payload: 1 }, { traceparent: again, "idempotency-key": "k" })).body.status).toBe("duplicate");
  expect((await post("/api/v1/events", { type: "a", payload: 1 }, { "idempotency-key": "k" })).body.status).toBe("duplicate");
  expect((await post("/api/v1/events", { type: "a", payload: 2 }, { traceparent, "idempotency-key": "k" })).status).toBe(409);
});

test("a request carries its trace to the responder", async () => {
  const { post, join } = httpApp();
  const responder = await join();
  responder.say(["serve", 1, ["x"]]);
  const answer = post("/api/v1/requests", { type: "x" }, { traceparent });
  await expect.poll(() => responder.named("ask").length).toBe(1);
  const [, ask, , line] = responder.named("ask")[0]!;
  expect(line.slice(4)).toEqual(["x", null, { headers: { traceparent } }]);
  responder.say(["answer", ask], "1");
  expect((await answer).status).toBe(200);
});
