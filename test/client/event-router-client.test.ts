import { afterEach, expect, test, vi } from "vitest";
import { EventRouterClient } from "../../src/event-router.ts";
import type { WebSocketConstructor } from "../../src/links/websocket-like.ts";

/** A WebSocket that opens nowhere and notes where it should. */
function noting(): { readonly url: Promise<string>; readonly WebSocket: WebSocketConstructor } {
  const { promise, resolve } = Promise.withResolvers<string>();
  class Noting extends EventTarget {
    readonly readyState = 0;
    binaryType = "blob";
    constructor(url: string) {
      super();
      resolve(url);
    }
    send(): void {}
    close(): void {}
  }
  return { url: promise, WebSocket: Noting as unknown as WebSocketConstructor };
}

async function urlOf(options: object): Promise<string | undefined> {
  const { url, WebSocket } = noting();
  await using client = new EventRouterClient({ ...options, WebSocket });
  return await Promise.race([url, client.connect().then(() => undefined, () => undefined)]);
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

test.each([
  ["ws://localhost:8080", "ws://localhost:8080/ws"],
  ["wss://events.example.com/custom", "wss://events.example.com/custom"],
  ["http://localhost:8080/", "ws://localhost:8080/ws"],
  ["https://events.example.com?region=eu", "wss://events.example.com/ws?region=eu"],
])("url %s is %s", async (url, expected) => {
  expect(await urlOf({ url })).toBe(expected);
});

test("EVENT_ROUTER_URL names the router; transport memory needs none, and an environment that may not be read is none", async () => {
  vi.stubEnv("EVENT_ROUTER_URL", "http://env:1");
  expect(await urlOf({})).toBe("ws://env:1/ws");
  expect(await urlOf({ url: "ws://other" })).toBe("ws://other/ws");
  expect(await urlOf({ transport: "memory" })).toBeUndefined();
  vi.stubGlobal("process", { get env() { throw new Error("PermissionDenied"); } });
  expect(await urlOf({})).toBeUndefined();
});

test("two memory clients of a namespace share a router, those of another namespace see nothing of it", async () => {
  await using a = new EventRouterClient({ namespace: "shared" });
  await using b = new EventRouterClient({ namespace: "shared" });
  await using c = new EventRouterClient({ namespace: "apart" });
  const seen: string[] = [];
  await b.subscribe("**", (event) => seen.push(`b ${event.type}`));
  await c.subscribe("**", (event) => seen.push(`c ${event.type}`));
  await a.publish("order.placed");
  await expect.poll(() => seen).toEqual(["b order.placed"]);
});
