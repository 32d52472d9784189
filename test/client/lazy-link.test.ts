import { expect, test } from "vitest";
import { ConnectionError } from "../../src/core/errors.ts";
import type { Link, LinkListener } from "../../src/core/link.ts";
import { lazyLink } from "../../src/lazy-link.ts";
import type { ComeBackOptions } from "../../src/core/come-back.ts";
import { settle, TestClock } from "../support/test-clock.ts";

/** A lazy link whose code comes or does not, as the test says. */
function linked(options: Partial<ComeBackOptions> = {}) {
  const clock = new TestClock();
  const did: string[] = [];
  const loads: PromiseWithResolvers<Link>[] = [];
  let on: LinkListener | undefined;
  const code: Link = {
    start(listener) {
      did.push("start");
      on = listener;
    },
    send: (message) => did.push(`send ${message}`),
    restart: (delay) => did.push(`restart ${delay}`),
    close: () => did.push("close"),
  };
  const link = lazyLink(() => {
    loads.push(Promise.withResolvers<Link>());
    return loads.at(-1)!.promise;
  }, { clock, random: () => 0.5, enabled: true, maxAttempts: Infinity, backoff: "exponential", minDelay: 100, maxDelay: 1_000, ...options });
  const errors: ConnectionError[] = [];
  link.start({
    open: () => did.push("open"),
    message: (message) => did.push(message),
    down: (error, final) => {
      did.push(final ? "down for good" : "down");
      errors.push(error);
    },
  });
  const come = async (): Promise<void> => {
    loads.at(-1)!.resolve(code);
    await settle();
  };
  const fail = async (thrown: unknown = new TypeError("Failed to fetch dynamically imported module")): Promise<void> => {
    loads.at(-1)!.reject(thrown);
    await settle();
  };
  return { clock, did, loads, errors, link, come, fail, heard: () => on! };
}

test("is a pipe that is not open until its code has come, and that code from then on", async () => {
  const { did, link, come, heard } = linked();
  link.send("too early");
  link.restart();
  await come();
  heard().open();
  link.send("there");
  link.restart(5);
  link.close();
  expect(did).toEqual(["start", "open", "send there", "restart 5", "close"]);
});

test("code that does not come is a connection that is not made: it is asked for again, later each time, until it is there", async () => {
  const { clock, did, loads, errors, fail, come } = linked();
  await fail();
  expect([did, errors[0]?.code, errors[0]?.retryable, (errors[0]?.cause as Error | undefined)?.message]).toEqual([["down"], "ERR_CODE", true, "Failed to fetch dynamically imported module"]);
  await clock.advance(49);
  expect(loads).toHaveLength(1);
  await clock.advance(1);
  await fail();
  await clock.advance(99);
  expect(loads).toHaveLength(2);
  await clock.advance(1);
  await come();
  expect([loads.length, did, clock.timers]).toEqual([3, ["down", "down", "start"], 0]);
});

test("whoever wants to connect anew need not wait, and starts nothing twice", async () => {
  const { clock, did, loads, link, fail, come } = linked({ backoff: "fixed", minDelay: 60_000 });
  link.restart();
  await fail();
  link.restart();
  await clock.advance(0);
  expect(loads).toHaveLength(2);
  link.restart();
  await come();
  await clock.advance(60_000);
  expect([loads.length, did, clock.timers]).toEqual([2, ["down", "start"], 0]);
});

test("counts attempts as the link itself does, and does not come back if it shall not", async () => {
  const few = linked({ maxAttempts: 1 });
  await few.fail();
  await few.clock.advance(1_000);
  await few.fail();
  expect([few.did, few.clock.timers]).toEqual([["down", "down for good"], 0]);
  const once = linked({ enabled: false });
  await once.fail();
  expect([once.did, once.clock.timers]).toEqual([["down for good"], 0]);
});

test("what the platform cannot do is not tried again", async () => {
  const { clock, did, errors, fail } = linked();
  await fail(new ConnectionError("ERR_MTLS", "not here"));
  expect([did, errors[0]?.code, clock.timers]).toEqual([["down for good"], "ERR_MTLS", 0]);
});

test("closed while its code is on its way, or asked for again, it starts nothing and tells nothing", async () => {
  const loading = linked();
  loading.link.close();
  await loading.come();
  const failing = linked();
  failing.link.close();
  await failing.fail();
  const waiting = linked();
  await waiting.fail();
  waiting.link.close();
  await waiting.clock.advance(10_000);
  expect([loading.did, failing.did, waiting.did, waiting.loads.length]).toEqual([[], [], ["down"], 1]);
});
