import { expect, test } from "vitest";
import { webSocketLink } from "../../src/links/websocket.ts";
import type { WebSocketConstructor } from "../../src/links/websocket-like.ts";
import { TestClock } from "../support/test-clock.ts";

test("a socket with events of its own kind is a link like any other, and coming back stays the link's business", async () => {
  const made: Homemade[] = [];
  /** Tells no more than what it has to say. */
  class Homemade {
    readyState = 0;
    binaryType = "blob";
    readonly sent: string[] = [];
    readonly #listeners: [type: string, listener: (event: object) => void][] = [];
    readonly url: string;
    constructor(url: string) {
      this.url = url;
      made.push(this);
    }
    addEventListener(type: string, listener: (event: object) => void): void { this.#listeners.push([type, listener]); }
    removeEventListener(type: string, listener: (event: object) => void): void { this.#listeners.splice(this.#listeners.findIndex((one) => one[0] === type && one[1] === listener), 1); }
    send(text: string): void { this.sent.push(text); }
    close(): void { this.readyState = 3; }
    tell(type: string, event: object = {}): void {
      if (type === "open") this.readyState = 1;
      if (type === "close") this.readyState = 3;
      for (const [heard, listener] of this.#listeners.slice()) if (heard === type) listener({ type, ...event });
    }
  }
  const clock = new TestClock();
  const told: string[] = [];
  const link = webSocketLink({ url: "ws://r/ws", WebSocket: Homemade as unknown as WebSocketConstructor, clock, random: () => 1, enabled: true, maxAttempts: 1, backoff: "fixed", minDelay: 100, maxDelay: 100, connectionTimeout: 60_000 });
  link.start({ open: () => told.push("open"), message: (message) => told.push(message), down: (_, final) => told.push(final ? "down for good" : "down") });
  await expect.poll(() => made.length).toBe(1);
  made[0]!.tell("open");
  made[0]!.tell("message", { data: "hello" });
  link.send("there");
  expect([told, made[0]!.url, made[0]!.sent]).toEqual([["open", "hello"], "ws://r/ws", ["there"]]);
  made[0]!.tell("close", { code: 1006, reason: "" });
  expect([told.slice(2), made.length]).toEqual([["down"], 1]);
  await clock.advance(100);
  await expect.poll(() => made.length).toBe(2);
  made[1]!.tell("close", { code: 1006, reason: "" });
  expect([told.slice(3), clock.timers]).toEqual([["down for good"], 0]);
});
