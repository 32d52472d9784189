import { describe, expect, test } from "vitest";
import type { EventLine } from "../../src/core/line.ts";
import type { EventWindow, WindowOptions } from "../../src/patterns/window-options.ts";
import { settle } from "../support/test-clock.ts";
import { ScriptedRouter } from "../client/scripted-router.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const second = 1_000;
/** An event of so many seconds after noon. */
const at = (seq: number, seconds: number): EventLine => [seq, NOON + seconds * second, 0, `id${seq}`, "n", seq];
/** A window as [start, end, seqs], seconds after noon. */
const brief = ({ start, end, events }: EventWindow) => [(start.getTime() - NOON) / second, (end.getTime() - NOON) / second, events.map(({ seq }) => seq)];

async function world(options: WindowOptions) {
  const router = new ScriptedRouter();
  const client = router.client();
  await client.connect();
  const stream = client.window("n", options);
  const [sub] = await router.take("sub");
  const id = sub!.args[0] as number;
  router.say(["on", id, "e1", 0]);
  const given: unknown[] = [];
  let ended: unknown;
  const iterator = stream[Symbol.asyncIterator]();
  const run = async (most = Infinity): Promise<void> => {
    try {
      for (let i = 0; i < most; i++) {
        const { done, value } = await iterator.next();
        if (done === true) break;
        given.push(brief(value));
      }
      ended = "done";
    } catch (error) {
      ended = error;
    }
  };
  const deliver = async (...events: EventLine[]): Promise<void> => {
    router.say(["ev", [id], events]);
    await settle();
  };
  /** Answers whether the router has more behind the last event. */
  const answer = async (...events: EventLine[]): Promise<unknown> => {
    const [call] = await router.take("call");
    if (call === undefined) return undefined;
    router.say(["ok", call.args[0] as number, { epoch: "e1", events, next: null }]);
    await settle();
    return call.args.slice(1);
  };
  await import("../../src/patterns/window.ts");
  return { router, client, stream, iterator, given, run, deliver, answer, id, ended: () => ended };
}

describe("windows", () => {
  test("tumbling: each event in one window, given when an event is past its end", async () => {
    const { given, run, deliver } = await world({ size: "10s" });
    void run();
    await deliver(at(1, 1), at(2, 9.999));
    expect(given).toEqual([]);
    await deliver(at(3, 10), at(4, 25));
    expect(given).toEqual([[0, 10, [1, 2]], [10, 20, [3]]]);
  });

  test("sliding: each event in all windows that span it", async () => {
    const { given, run, deliver } = await world({ size: "10s", slide: "5s" });
    void run();
    await deliver(at(1, 7), at(2, 12), at(3, 30));
    expect(given).toEqual([[0, 10, [1]], [5, 15, [1, 2]], [10, 20, [2]], [15, 25, []], [20, 30, []]]);
  });

  test("windows without events come too, and are iterable as all are", async () => {
    const { iterator, deliver } = await world({ size: "1s" });
    const first = iterator.next();
    await deliver(at(1, 0), at(2, 3));
    const window = (await first).value!;
    expect([window.length, [...window].map(({ seq }) => seq), window.start.toISOString(), window.end.toISOString()]).toEqual([1, [1], "2026-01-01T12:00:00.000Z", "2026-01-01T12:00:01.000Z"]);
    expect([(await iterator.next()).value!.length, (await iterator.next()).value!.length]).toEqual([0, 0]);
  });

  test("the clock closes them when no event comes, once the router has said that there is none; whatever the difference of the clocks", async () => {
    const { router, given, run, deliver, answer } = await world({ size: "10s", filter: { type: /^n/i } });
    void run();
    await deliver(at(1, 4));
    await router.clock.advance(5_999);
    expect(await answer()).toBeUndefined();
    await router.clock.advance(1);
    expect(await answer()).toEqual(["read", { topics: ["n"], filter: { type: { $regex: "^n", $options: "i" } }, after: 1, limit: 1 }]);
    expect(given).toEqual([[0, 10, [1]]]);
    await router.clock.advance(10_000);
    await answer();
    expect(given).toEqual([[0, 10, [1]], [10, 20, []]]);
  });

  test("events that are on their way come first", async () => {
    const { router, stream, given, run, deliver, answer } = await world({ size: "10s" });
    void run();
    await deliver(at(1, 4));
    await router.clock.advance(6_000);
    await answer(at(2, 6));
    expect(given).toEqual([]);
    await deliver(at(2, 6));
    await router.clock.advance(4_000);
    await answer();
    expect([given, stream.late]).toEqual([[[0, 10, [1, 2]]], 0]);
  });

  test("without a connection nothing is closed: what was published meanwhile comes with the next", async () => {
    const { router, stream, given, run, deliver, answer, id } = await world({ size: "10s" });
    void run();
    await deliver(at(1, 4));
    router.cut();
    // The question waits for the connection, gives up, and is asked again.
    await router.clock.advance(30_000);
    expect(given).toEqual([]);
    router.open();
    await settle();
    router.say(["on", id, "e1", 1]);
    expect(await answer(at(2, 5))).toMatchObject(["read", { after: 1 }]);
    await deliver(at(2, 5), at(3, 31));
    expect([given, stream.late]).toEqual([[[0, 10, [1, 2]], [10, 20, []], [20, 30, []]], 0]);
    expect(await answer()).toBeUndefined();
  });

  test("late events are left out and counted; within allowedLateness they are in", async () => {
    const strict = await world({ size: "10s" });
    void strict.run();
    await strict.deliver(at(1, 4), at(2, 12), at(3, 9), at(4, 11), at(5, 20));
    expect([strict.given, strict.stream.late]).toEqual([[[0, 10, [1]], [10, 20, [2, 4]]], 1]);
    const patient = await world({ size: "10s", allowedLateness: "3s" });
    void patient.run();
    await patient.deliver(at(1, 4), at(2, 12), at(3, 9), at(4, 13), at(5, 8));
    expect([patient.given, patient.stream.late]).toEqual([[[0, 10, [1, 3]]], 1]);
  });

  test("leaving the loop unsubscribes and leaves no timer", async () => {
    const { router, stream, deliver, id } = await world({ size: "10s" });
    const left = (async () => {
      for await (const window of stream) if (window.length > 0) break;
    })();
    await deliver(at(1, 4), at(2, 11));
    const [unsub] = await router.take("unsub");
    expect(unsub!.args).toEqual([id]);
    router.say(["end", id]);
    await left;
    expect(router.clock.timers).toBe(0);
  });

  test("leaving it when the clock has closed a window, so that its next event is waited for", async () => {
    const { router, stream, deliver, answer, id } = await world({ size: "10s" });
    const left = (async () => {
      for await (const window of stream) if (window.length > 0) break;
    })();
    await deliver(at(1, 4));
    await router.clock.advance(6_000);
    await answer();
    router.say(["end", id]);
    await left;
    expect(router.clock.timers).toBe(0);
  });

  test("a signal and closing the client end it, and leave no timer", async () => {
    const control = new AbortController();
    const aborted = await world({ size: "10s", signal: control.signal });
    void aborted.run();
    await aborted.deliver(at(1, 4));
    control.abort(new Error("enough"));
    await aborted.router.take();
    aborted.router.say(["end", aborted.id]);
    await settle();
    expect([aborted.ended(), aborted.router.clock.timers]).toEqual([control.signal.reason, 0]);
    const closed = await world({ size: "10s" });
    void closed.run();
    await closed.deliver(at(1, 4));
    const closing = closed.client.close();
    await settle();
    closed.router.say(["end", closed.id]);
    await closing;
    expect([closed.ended(), closed.router.clock.timers]).toEqual(["done", 0]);
  });

  test.each([
    [{}, "size"], [{ size: "soon" }, "size"], [{ size: 0 }, "slide"], [{ size: "1s", slide: "2s" }, "slide"], [{ size: "1s", allowedLateness: -1 }, "allowedLateness"],
  ])("times that make no sense: %j", async (options, path) => {
    const { router, run, ended, id } = await world(options as never);
    const over = run();
    await settle();
    router.say(["end", id]);
    await over;
    expect(ended()).toMatchObject({ name: "ValidationError", details: { path } });
  });
});
