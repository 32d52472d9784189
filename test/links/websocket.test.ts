import { describe, expect, test, vi } from "vitest";
import type { ConnectionError } from "../../src/core/errors.ts";
import { socketLink, webSocketLink, type WebSocketLinkOptions } from "../../src/links/websocket.ts";
import type { WebSocketConstructor } from "../../src/links/websocket-like.ts";
import { TestClock } from "../support/test-clock.ts";

/** WebSockets that do what the test says. */
function sockets() {
  const all: FakeSocket[] = [];
  class FakeSocket extends EventTarget {
    readyState = 0;
    binaryType = "blob";
    readonly sent: string[] = [];
    closedWith: number | undefined;
    readonly url: string;
    constructor(url: string) {
      super();
      this.url = url;
      all.push(this);
    }
    send(data: string): void { this.sent.push(data); }
    /** Without a code it is partysocket's. */
    close(code = 1000): void {
      this.closedWith = code;
      this.readyState = 3;
    }
    open(): void {
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
    }
    say(data: unknown): void { this.dispatchEvent(new MessageEvent("message", { data })); }
    drop(code = 1006, reason = ""): void {
      this.readyState = 3;
      this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
    }
    fail(): void { this.dispatchEvent(Object.assign(new Event("error"), { message: "refused", error: new Error("ECONNREFUSED") })); }
  }
  return { all, WebSocket: FakeSocket as unknown as WebSocketConstructor };
}

function linked(options: Partial<WebSocketLinkOptions> = {}) {
  const clock = new TestClock();
  const { all, WebSocket } = sockets();
  const told: string[] = [];
  const errors: ConnectionError[] = [];
  const randoms: number[] = [];
  const link = socketLink(options.WebSocket ?? WebSocket, {
    url: "ws://r/ws", clock, enabled: true, maxAttempts: Infinity, backoff: "exponential", minDelay: 100, maxDelay: 1_000, connectionTimeout: 60_000,
    random: () => randoms.shift() ?? 0.5,
    ...options,
  });
  link.start({
    open: () => told.push("open"),
    message: (message) => told.push(message),
    down: (error, final) => {
      told.push(final ? "down for good" : "down");
      errors.push(error);
    },
  });
  return { clock, all, told, errors, randoms, link };
}

describe("socketLink", () => {
  test("opens at once, carries text both ways, is silent while closed", async () => {
    const { all, told, link, clock } = linked();
    link.send("too early");
    const socket = all[0]!;
    expect(socket.url).toBe("ws://r/ws");
    socket.open();
    socket.say("hello");
    link.send("there");
    expect([told, socket.sent]).toEqual([["open", "hello"], ["there"]]);
    link.close();
    link.send("too late");
    expect([socket.closedWith, socket.sent, clock.timers]).toEqual([1000, ["there"], 0]);
  });

  test("comes back after random × min(maxDelay, minDelay × 2^attempt), for ever; a router that closes at once is backed off", async () => {
    const { all, told, randoms, clock, errors } = linked();
    randoms.push(1, 1, 1, 1, 1, 1);
    const delays: number[] = [];
    for (let i = 0; i < 6; i++) {
      if (i % 2 === 0) all.at(-1)!.open();
      const before = all.length;
      all.at(-1)!.drop();
      const start = clock.now();
      while (all.length === before) await clock.advance(10);
      delays.push(clock.now() - start);
        expect(all.length).toBe(before + 1);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(told.filter((one) => one === "down")).toHaveLength(6);
    expect(errors.slice(0, 2).map(({ code, retryable }) => [code, retryable])).toEqual([["ERR_CONNECTION_LOST", true], ["ERR_CONNECTION_FAILED", true]]);
    all.at(-1)!.open();
    await clock.advance(5_000);
    randoms.push(0.5);
    all.at(-1)!.drop();
    await clock.advance(49);
    expect(all).toHaveLength(7);
    await clock.advance(1);
    expect(all).toHaveLength(8);
  });

  test("a refusal, told as an error and a close, is one failure with its cause", async () => {
    const { all, told, errors } = linked({ enabled: false });
    all[0]!.fail();
    all[0]!.drop();
    expect([told, errors[0]!.code, errors[0]!.retryable]).toEqual([["down for good"], "ERR_CONNECTION_FAILED", false]);
    expect(errors[0]!.message).toContain("ws://r/ws");
  });

  test("maxAttempts in a row, then no more; fixed delays", async () => {
    const { all, told, clock } = linked({ maxAttempts: 2, backoff: "fixed" });
    for (let i = 0; i < 3; i++) {
      all.at(-1)!.drop();
      await clock.advance(100);
      }
    expect([told, all.length, clock.timers]).toEqual([["down", "down", "down for good"], 3, 0]);
  });

  test("an attempt that takes too long is given up", async () => {
    const { all, told, errors, clock } = linked({ connectionTimeout: 10, enabled: false });
    await clock.advance(9);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect([told, all[0]!.readyState, clock.timers]).toEqual([["down for good"], 3, 0]);
    expect(errors[0]!.message).toContain("no answer within 10 ms");
    all[0]!.open();
    expect(told).toHaveLength(1);
  });

  test("what an older socket tells when another has taken its place is for nobody", async () => {
    const { all, told, clock, link } = linked();
    all[0]!.open();
    link.restart();
    await clock.advance(0);
    all[1]!.open();
    all[0]!.say("late");
    all[0]!.drop();
    all[1]!.say("new");
    expect(told).toEqual(["open", "down", "open", "new"]);
  });

  test("an address that the platform refuses is a connection that is not made", async () => {
    class Refusing { constructor() { throw new DOMException("An insecure WebSocket connection may not be initiated from a page loaded over HTTPS.", "SecurityError"); } }
    const { told, errors, clock } = linked({ WebSocket: Refusing as unknown as WebSocketConstructor, maxAttempts: 1 });
    await clock.advance(100);
    expect([told, errors[0]!.code, clock.timers]).toEqual([["down", "down for good"], "ERR_CONNECTION_FAILED", 0]);
    expect(errors[0]!.cause).toBeInstanceOf(DOMException);
  });

  test("restart drops the pipe and makes a new one, not before the delay", async () => {
    const { all, told, clock, link } = linked();
    all[0]!.open();
    link.restart(500);
    all[0]!.say("from the old pipe");
    expect([told, all[0]!.closedWith]).toEqual([["open", "down"], 1000]);
    await clock.advance(499);
    expect(all.length).toBe(1);
    await clock.advance(1);
    all[1]!.open();
    expect(told).toEqual(["open", "down", "open"]);
  });

  test("close while it waits calls the next attempt off", async () => {
    const { all, clock, link } = linked();
    all[0]!.drop();
    link.close();
    link.restart();
    await clock.advance(10_000);
    expect([all.length, clock.timers]).toEqual([1, 0]);
  });

  test("a binary message is no protocol of ours: the pipe is dropped", async () => {
    const { all, told } = linked();
    all[0]!.open();
    all[0]!.say(new ArrayBuffer(2));
    expect([told, all[0]!.closedWith]).toEqual([["open", "down"], 4003]);
  });
});

describe("webSocketLink", () => {
  test.each(["a class", "a function that returns another's"])("a message is told once, as it came, and no event is made anew for it; sockets of %s", async (kind) => {
    const { all, WebSocket } = sockets();
    const Other = function (url: string) { return new WebSocket(url); } as unknown as WebSocketConstructor;
    const told: string[] = [];
    const link = webSocketLink({
      url: "ws://r/ws", WebSocket: kind === "a class" ? WebSocket : Other, clock: new TestClock(), enabled: true, maxAttempts: Infinity, backoff: "exponential", minDelay: 100, maxDelay: 1_000,
      connectionTimeout: 60_000, random: () => 0.5,
    });
    link.start({ open: () => told.push("open"), message: (message) => told.push(message), down: () => told.push("down") });
    // partysocket takes a turn of the real loop to begin.
    await expect.poll(() => all.length).toBe(1);
    all[0]!.open();
    const made = vi.spyOn(globalThis, "MessageEvent");
    all[0]!.say("hello");
    expect([told, made.mock.calls.length]).toEqual([["open", "hello"], 1]);
    made.mockRestore();
    link.close();
    all[0]!.say("late");
    expect(told).toEqual(["open", "hello"]);
  });

  test("where there are no WebSockets, that is a connection that is not made, once", async () => {
    vi.stubGlobal("WebSocket", undefined);
    const errors: [string, boolean][] = [];
    const link = webSocketLink({ url: "ws://r/ws", clock: new TestClock(), enabled: false, maxAttempts: 1, backoff: "fixed", minDelay: 1, maxDelay: 1, connectionTimeout: 60_000, random: () => 0.5 });
    link.start({ open() {}, message() {}, down: ({ code }, final) => errors.push([code, final]) });
    await expect.poll(() => errors).toEqual([["ERR_CONNECTION_FAILED", true]]);
    vi.unstubAllGlobals();
  });
});
