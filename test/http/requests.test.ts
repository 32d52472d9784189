import { expect, test } from "vitest";
import type { RawClient } from "../support/raw-client.ts";
import { httpApp } from "./http-app.ts";

/** The number under which the router asked a responder. */
async function asked(responder: RawClient): Promise<number> {
  await expect.poll(() => responder.named("ask").length).toBeGreaterThan(0);
  return responder.named("ask").at(-1)![1];
}

test("[P7] a request is answered with the response's payload", async () => {
  const { post, join } = httpApp();
  const responder = await join();
  responder.say(["serve", 1, ["calculator.*"]]);
  const answer = post("/api/v1/requests", { type: "calculator.add", payload: { x: 10, y: 20 }, headers: { trace: "t" } });
  const ask = await asked(responder);
  expect(responder.named("ask")[0]![3].slice(4)).toEqual(["calculator.add", { x: 10, y: 20 }, { headers: { trace: "t" } }]);
  responder.say(["answer", ask], '{"result":30}');
  expect(await answer).toMatchObject({ status: 200, type: "application/json", body: { result: 30 } });
});

test("a handler's throw is 502 with its name and message", async () => {
  const { post, join } = httpApp();
  const responder = await join();
  responder.say(["serve", 1, ["x"]]);
  const answer = post("/api/v1/requests", { type: "x" });
  responder.say(["fail", await asked(responder), ["RemoteError", "ERR_REMOTE", "divided by zero", 0, { name: "RangeError", type: "not a problem's type" }]]);
  expect(await answer).toMatchObject({ status: 502, body: { code: "ERR_REMOTE", detail: "divided by zero", name: "RangeError", type: "about:blank" } });
});

test("no answer in time is 504", async () => {
  const { post, join } = httpApp();
  const responder = await join();
  responder.say(["serve", 1, ["x"]]);
  expect(await post("/api/v1/requests", { type: "x", timeout: "20ms" })).toMatchObject({ status: 504, body: { code: "ERR_TIMEOUT" } });
});

test("a responder that leaves before it answers is 502", async () => {
  const { post, join } = httpApp();
  const responder = await join();
  responder.say(["serve", 1, ["x"]]);
  const answer = post("/api/v1/requests", { type: "x" });
  await asked(responder);
  responder.session.disconnected();
  expect(await answer).toMatchObject({ status: 502, body: { code: "ERR_RESPONDER_LOST" } });
});

test("a caller that goes away is no longer waited for", async () => {
  const { app, join, router } = httpApp();
  const responder = await join();
  responder.say(["serve", 1, ["x"]]);
  const gone = new AbortController();
  void Promise.resolve(app.request("/api/v1/requests", { method: "POST", body: '{"type":"x"}', headers: { "content-type": "application/json" }, signal: gone.signal })).catch(() => {});
  await asked(responder);
  expect(router.stats().get("default")!.openRequests).toBe(1);
  gone.abort();
  await expect.poll(() => router.stats().get("default")!.openRequests).toBe(0);
});
