import { describe, expect, test } from "vitest";
import type { Handler } from "../../src/client/handle-events.ts";
import type { RouterEvent } from "../../src/core/event.ts";
import { settle } from "../support/test-clock.ts";
import { line, ScriptedRouter } from "./scripted-router.ts";

async function world() {
  const router = new ScriptedRouter();
  const client = router.client();
  const errors: [unknown, RouterEvent | undefined][] = [];
  client.onError((error, event) => errors.push([error, event]));
  await client.connect();
  /** Subscribes, and has the router deliver these events. */
  const subscribed = async (handler: Handler, seqs: readonly number[], options = {}) => {
    const sub = client.on("n", options, handler);
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    if (seqs.length > 0) router.deliver([sub.id], ...seqs);
    await loaded();
    return sub;
  };
  return { router, client, errors, subscribed };
}

/** What is loaded when it is used has come. */
async function loaded(): Promise<void> {
  await Promise.all([import("../../src/client/retry.ts"), import("../../src/client/circuit-breaker.ts"), import("../../src/client/responders.ts")]);
  await settle();
  await settle();
}

/** Fails so many times, then succeeds; keeps what it was called with. */
function failing(times: number) {
  const calls: [seq: number, attempt: number, redelivered: boolean][] = [];
  const handler = (event: RouterEvent, { attempt, redelivered }: { attempt: number; redelivered: boolean }): void => {
    calls.push([event.seq, attempt, redelivered]);
    if (calls.length <= times) throw new RangeError(`failure ${calls.length}`);
  };
  return { calls, handler };
}

describe("errorHandler", () => {
  test("tries again after waits that double, and order is kept meanwhile", async () => {
    const { router, client, errors, subscribed } = await world();
    const { calls, handler } = failing(2);
    await subscribed(client.errorHandler({ maxRetries: 3, backoff: "exponential" })(handler), [1, 2]);
    expect(calls).toEqual([[1, 1, false]]);
    await router.clock.advance(99);
    expect(calls.length).toBe(1);
    await router.clock.advance(1);
    expect(calls.slice(1)).toEqual([[1, 2, true]]);
    await router.clock.advance(199);
    expect(calls.length).toBe(2);
    await router.clock.advance(1);
    expect(calls.slice(2)).toEqual([[1, 3, true], [2, 1, false]]);
    expect([errors, router.clock.timers]).toEqual([[], 0]);
  });

  test("fixed waits, a longest wait, and what no retry helps", async () => {
    const { router, client, errors, subscribed } = await world();
    const fixed = failing(2);
    await subscribed(client.errorHandler({ backoff: "fixed", delay: "1s" })(fixed.handler), [1]);
    await router.clock.advance(1_000);
    await router.clock.advance(1_000);
    expect(fixed.calls.length).toBe(3);
    const bounded = failing(2);
    await subscribed(client.errorHandler({ delay: "1s", maxDelay: 1_500 })(bounded.handler), [1]);
    await router.clock.advance(1_000);
    await router.clock.advance(1_500);
    expect(bounded.calls.length).toBe(3);
    const hopeless = failing(9);
    await subscribed(client.errorHandler({ retryIf: (error) => !(error instanceof RangeError) })(hopeless.handler), [1]);
    expect(hopeless.calls.length).toBe(1);
    expect(errors.map(([error, event]) => [(error as Error).message, event?.seq])).toEqual([["failure 1", 1]]);
  });

  test("without a dead letter queue the last error reaches onError, once, and the next event goes on", async () => {
    const { router, client, errors, subscribed } = await world();
    const { calls, handler } = failing(3);
    await subscribed(client.errorHandler({ maxRetries: 2, backoff: "fixed", delay: 10 })(handler), [1, 2]);
    await router.clock.advance(20);
    expect(errors.map(([error, event]) => [(error as Error).message, event?.seq])).toEqual([["failure 3", 1]]);
    expect(calls.at(-1)).toEqual([2, 1, false]);
  });

  test("[P6] the event counts as done only when its dead letter is durable", async () => {
    const { router, client, errors, subscribed } = await world();
    const { calls, handler } = failing(2);
    const sub = await subscribed(client.errorHandler({ maxRetries: 1, delay: 10, deadLetterQueue: true })(handler), [7, 8]);
    await router.clock.advance(10);
    const [call] = await router.take("call");
    expect(call!.args.slice(1)).toEqual(["dead", { sub: sub.id, seq: 7, epoch: "e1", attempts: 2, error: { name: "RangeError", message: "failure 2" } }]);
    expect(calls.length).toBe(2);
    // The router cannot, for now.
    router.say(["err", call!.args[0] as number, ["PublishError", "ERR_STORE", "the disk is full", 1]]);
    await settle();
    await router.clock.advance(250);
    const [again] = await router.take("call");
    expect(again!.args.slice(1)).toEqual(call!.args.slice(1));
    expect(calls.length).toBe(2);
    router.say(["ok", again!.args[0] as number, { id: "evt_1" }]);
    await settle();
    expect(calls.at(-1)).toEqual([8, 1, false]);
    expect(errors).toEqual([]);
  });

  test("[P6] a dead letter that is refused is told once and tried until the subscription ends; then the event is not acknowledged", async () => {
    const { router, client, errors, subscribed } = await world();
    const { handler } = failing(9);
    const sub = await subscribed(client.errorHandler({ maxRetries: 0, deadLetterQueue: true })(handler), [1]);
    for (let i = 0, wait = 250; i < 3; i++, wait *= 2) {
      const [call] = await router.take("call");
      router.say(["err", call!.args[0] as number, ["ValidationError", "ERR_METHOD", "this router has no call dead", 0]]);
      await settle();
      await router.clock.advance(wait);
    }
    expect(errors.map(([error]) => (error as { code: string }).code)).toEqual(["ERR_METHOD"]);
    void sub.unsubscribe();
    await settle();
    expect(errors.slice(1).map(([error, event]) => [(error as Error).message, event?.seq])).toEqual([["failure 1", 1]]);
    expect((await router.take("ack"))).toEqual([]);
  });

  test("an event that has left the log meanwhile cannot be a dead letter: its error is told, and the next goes on", async () => {
    const { router, client, errors, subscribed } = await world();
    const { calls, handler } = failing(1);
    await subscribed(client.errorHandler({ maxRetries: 0, deadLetterQueue: true })(handler), [1, 2]);
    const [call] = await router.take("call");
    router.say(["err", call!.args[0] as number, ["ValidationError", "ERR_DEAD_LETTER", "there is no event 1", 0]]);
    await settle();
    expect([errors.map(([error, event]) => [(error as Error).message, event?.seq]), calls.at(-1)]).toEqual([[["failure 1", 1]], [2, 1, false]]);
  });

  test("ending the subscription ends the waiting, and leaves no timer", async () => {
    const { router, client, errors, subscribed } = await world();
    const { calls, handler } = failing(9);
    const sub = await subscribed(client.errorHandler({ deadLetterQueue: true })(handler), [1]);
    void sub.unsubscribe();
    await settle();
    expect([calls.length, router.clock.timers, (errors[0]![0] as Error).message]).toEqual([1, 0, "failure 1"]);
  });

  test("an ephemeral event is in no log, so it becomes no dead letter", async () => {
    const { router, client, errors, subscribed } = await world();
    const { handler } = failing(9);
    await subscribed(client.errorHandler({ maxRetries: 0, deadLetterQueue: true })(handler), [0]);
    expect([await router.take("call"), errors.length]).toEqual([[], 1]);
  });

  test("a request is tried again, and its last error goes to the requester", async () => {
    const { router, client } = await world();
    const { calls, handler } = failing(9);
    client.respond("n", client.errorHandler({ maxRetries: 1, delay: 10, deadLetterQueue: true })(handler));
    await loaded();
    const [serve] = await router.take("serve");
    router.say(["on", serve!.args[0] as number, "e1", 0], ["ask", 5, 1_000, line(0, "n")]);
    await loaded();
    await router.clock.advance(10);
    expect(calls.length).toBe(2);
    expect((await router.take("fail", "call")).map(({ name, args }) => [name, args])).toEqual([["fail", [5, ["RemoteError", "ERR_REMOTE", "failure 2", 0, { name: "RangeError" }]]]]);
  });

  test("retry and deadLetter of a subscription are the same", async () => {
    const { router, errors, subscribed } = await world();
    const { calls, handler } = failing(2);
    await subscribed(handler, [1], { retry: { maxRetries: 1, delay: 10 }, deadLetter: true });
    await router.clock.advance(10);
    expect(calls.length).toBe(2);
    expect((await router.take("call")).map(({ args }) => args[1])).toEqual(["dead"]);
    expect(errors).toEqual([]);
  });

  test.each([
    [{ maxRetries: -1 }, "maxRetries"], [{ delay: "soon" }, "delay"], [{ backoff: "linear" }, "backoff"], [{ retryIf: true }, "retryIf"], [{ retries: 3 }, "retries"], [{ deadLetterQueue: "q" }, "deadLetterQueue"],
  ])("wrong options reach onError before the first event: %j", async (options, path) => {
    const { client, errors, subscribed } = await world();
    client.errorHandler(options as object);
    await loaded();
    expect(errors.map(([error]) => error)).toMatchObject([{ name: "ValidationError", details: { path } }]);
    await subscribed(() => {}, [], { retry: options });
    expect(errors.length).toBe(2);
  });

  test("a subscription without a handler cannot retry", async () => {
    const { client } = await world();
    await expect(client.subscribe("n", { deadLetter: true })).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});

describe("circuitBreaker", () => {
  class ApiError extends Error {}
  const settings = { failureThreshold: 2, recoveryTimeout: "30s" };

  test("[P2] while it is open an event waits; one tries, and the rest goes on when it succeeds", async () => {
    const { router, client, errors, subscribed } = await world();
    const seen: number[] = [];
    let broken = true;
    await subscribed(client.circuitBreaker(settings)((event) => {
      seen.push(event.seq);
      if (broken) throw new ApiError("down");
    }), [1, 2, 3, 4]);
    // Two failures open it; 3 waits.
    expect([seen, errors.length]).toEqual([[1, 2], 2]);
    await router.clock.advance(29_999);
    expect(seen).toEqual([1, 2]);
    broken = false;
    await router.clock.advance(1);
    expect([seen, errors.length, router.clock.timers]).toEqual([[1, 2, 3, 4], 2, 0]);
  });

  test("a try that fails opens it again", async () => {
    const { router, client, subscribed } = await world();
    const seen: number[] = [];
    await subscribed(client.circuitBreaker(settings)((event) => {
      seen.push(event.seq);
      throw new ApiError("down");
    }), [1, 2, 3, 4]);
    await router.clock.advance(30_000);
    expect(seen).toEqual([1, 2, 3]);
    await router.clock.advance(30_000);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test("only the expected errors count, others show that the service answers", async () => {
    const { client, subscribed } = await world();
    const seen: number[] = [];
    const throws = [ApiError, TypeError, ApiError, TypeError, TypeError, ApiError, ApiError];
    const run = (event: RouterEvent): void => {
      seen.push(event.seq);
      throw new throws[event.seq - 1]!("no");
    };
    await subscribed(client.circuitBreaker({ ...settings, expectedException: ApiError })(run), [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    seen.length = 0;
    await subscribed(client.circuitBreaker({ ...settings, expectedException: (error) => error instanceof TypeError })(run), [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test("inside an errorHandler it fails at once, which waits until it may be closed: no try is wasted, nothing becomes a dead letter", async () => {
    const { router, client, errors, subscribed } = await world();
    const attempts: number[] = [];
    let broken = true;
    const guarded = client.errorHandler({ maxRetries: 3, delay: 10, deadLetterQueue: true })(client.circuitBreaker(settings)((_, context) => {
      attempts.push(context.attempt);
      if (broken) throw new ApiError("down");
    }));
    await subscribed(guarded, [1]);
    await router.clock.advance(10);
    // Open since the second try; the third found it open.
    expect(attempts).toEqual([1, 2]);
    await router.clock.advance(20);
    broken = false;
    await router.clock.advance(29_979);
    expect(attempts).toEqual([1, 2]);
    await router.clock.advance(1);
    expect([attempts, errors, await router.take("call")]).toEqual([[1, 2, 4], [], []]);
  });

  test("requests fail at once while it is open, and say so", async () => {
    const { router, client } = await world();
    const calls: number[] = [];
    client.respond("n", client.circuitBreaker(settings)(() => {
      calls.push(1);
      throw new ApiError("down");
    }));
    await loaded();
    const [serve] = await router.take("serve");
    router.say(["on", serve!.args[0] as number, "e1", 0]);
    for (const ask of [1, 2, 3]) {
      router.say(["ask", ask, 1_000, line(0, "n")]);
      await loaded();
    }
    const fails = await router.take("fail");
    expect([calls.length, fails.map(({ args }) => (args[1] as string[])[1])]).toEqual([2, ["ERR_REMOTE", "ERR_REMOTE", "ERR_CIRCUIT_OPEN"]]);
  });

  test("in a group the router has the event for as long as it is open", async () => {
    const { router, client } = await world();
    const sub = client.on("n", { group: "g", concurrency: 3 }, client.circuitBreaker(settings)(() => { throw new ApiError("down"); }));
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    for (const token of [1, 2, 3]) {
      router.say(["job", sub.id, token, 1, line(token)]);
      await loaded();
    }
    expect((await router.take("nack")).map(({ args }) => [args[1], (args[2] as { delay?: number }).delay])).toEqual([[1, undefined], [2, undefined], [3, 30_000]]);
  });

  test("what ran when it opened does not close it; while one tries, others wait for it", async () => {
    const { router, client, subscribed } = await world();
    client.onError(() => {});
    const running = new Map<number, PromiseWithResolvers<void>>();
    const sub = await subscribed(client.circuitBreaker({ failureThreshold: 1, recoveryTimeout: 1_000 })((event) => {
      running.set(event.seq, Promise.withResolvers<void>());
      return running.get(event.seq)!.promise;
    }), [1, 2, 3, 4], { concurrency: 2 });
    expect([...running.keys()]).toEqual([1, 2]);
    running.get(1)!.reject(new ApiError("down"));
    await settle();
    running.get(2)!.resolve();
    await settle();
    // 2 was let through before it opened, so 3 and 4 still wait.
    expect([...running.keys()]).toEqual([1, 2]);
    await router.clock.advance(1_000);
    expect([...running.keys()]).toEqual([1, 2, 3]);
    running.get(3)!.resolve();
    await settle();
    expect([...running.keys()]).toEqual([1, 2, 3, 4]);
    void sub.unsubscribe();
  });

  test("ending the subscription ends the waiting; the event was not handled", async () => {
    const { router, client, errors, subscribed } = await world();
    const sub = await subscribed(client.circuitBreaker({ failureThreshold: 1 })(() => { throw new ApiError("down"); }), [1, 2]);
    void sub.unsubscribe();
    await settle();
    expect([router.clock.timers, errors.map(([error]) => (error as { code?: string }).code)]).toEqual([0, [undefined, "ERR_CIRCUIT_OPEN"]]);
  });

  test.each([[{ failureThreshold: 0 }, "failureThreshold"], [{ recoveryTimeout: "later" }, "recoveryTimeout"], [{ expectedException: "Error" }, "expectedException"]])("wrong options reach onError, and who waits for a handler in it: %j", async (options, path) => {
    const { client, errors } = await world();
    const handler = client.circuitBreaker(options as object)(() => {});
    await loaded();
    expect(errors.map(([error]) => error)).toMatchObject([{ name: "ValidationError", details: { path } }]);
    await expect(handler({} as never, {} as never)).rejects.toBe(errors[0]![0]);
  });
});
