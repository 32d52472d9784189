// From publish to handler in one process, 200-byte events: our client on the memory store with 1 and 100 subscriptions. The limit is node:events, which
// keeps nothing, answers nothing and hands on the publisher's own object; so does rxjs. emittery calls its listeners in a later turn, and its emit resolves when they are done.
//   awaited     256 publishes in flight, each until its receipt
//   unawaited   publishNowait, 256 in a turn; the next turn when all handlers have had all of it
import { EventEmitter } from "node:events";
import { bench } from "./lib/bench.mjs";
import { ourMeta, ourPayload } from "./lib/event.mjs";
import { closedLoop } from "./lib/load.mjs";

const LIMIT = "node:events", EMITTERY = "emittery", RXJS = "rxjs", OURS = "event-router, memory";
const TURN = 256, WARM = 300, MEASURED = 1_200;
const TYPE = "user.created";

async function measure({ open }, { subscriptions, awaited }) {
  let count = 0;
  let expected = Infinity;
  let reached = () => {};
  const { publish, publishNowait } = await open(subscriptions, () => {
    if (++count === expected) reached();
  });
  if (awaited) return closedLoop(publish, TURN, { warmUp: WARM, milliseconds: MEASURED });
  const run = async (budget) => {
    const begun = performance.now();
    let published = 0;
    while (performance.now() - begun < budget) {
      expected = count + TURN * subscriptions;
      const all = new Promise((resolve) => { reached = resolve; });
      for (let i = 0; i < TURN; i++) publishNowait();
      published += TURN;
      await all;
    }
    return (published * 1_000) / (performance.now() - begun);
  };
  await run(WARM);
  return { perSecond: await run(MEASURED) };
}

await bench(import.meta.url, {
  contenders: {
    [LIMIT]: {
      async open(subscriptions, handler) {
        const emitter = new EventEmitter().setMaxListeners(0);
        for (let i = 0; i < subscriptions; i++) emitter.on(TYPE, () => handler());
        const publish = () => { emitter.emit(TYPE, { type: TYPE, payload: ourPayload, ...ourMeta }); };
        return { publish, publishNowait: publish };
      },
    },
    [EMITTERY]: {
      async open(subscriptions, handler) {
        const { default: Emittery } = await import("emittery");
        const emitter = new Emittery();
        for (let i = 0; i < subscriptions; i++) emitter.on(TYPE, () => handler());
        const publish = () => emitter.emit(TYPE, { type: TYPE, payload: ourPayload, ...ourMeta });
        return { publish, publishNowait: publish };
      },
    },
    [RXJS]: {
      async open(subscriptions, handler) {
        const { Subject, filter } = await import("rxjs");
        const subject = new Subject();
        for (let i = 0; i < subscriptions; i++) subject.pipe(filter(({ type }) => type === TYPE)).subscribe(() => handler());
        const publish = () => subject.next({ type: TYPE, payload: ourPayload, ...ourMeta });
        return { publish, publishNowait: publish };
      },
    },
    [OURS]: {
      async open(subscriptions, handler) {
        const { EventRouterClient } = await import("../../src/event-router.ts");
        const client = new EventRouterClient({ transport: "memory" });
        await Promise.all(Array.from({ length: subscriptions }, () => client.on(TYPE, () => handler()).ready));
        return { publish: () => client.publish(TYPE, ourPayload, ourMeta), publishNowait: () => client.publishNowait(TYPE, ourPayload, ourMeta) };
      },
    },
  },
  setups: Object.fromEntries([1, 100].flatMap((subscriptions) => [true, false].map((awaited) => [`${subscriptions} subscription${subscriptions > 1 ? "s" : ""}, ${awaited ? "awaited" : "unawaited"}`, { subscriptions, awaited }]))),
  measure,
  metrics: { perSecond: { unit: "events/s" }, p50: { unit: "p50 ms", digits: 3 }, p99: { unit: "p99 ms", digits: 3 } },
  against: [LIMIT, EMITTERY, RXJS],
  goals: [
    { setup: /^1 subscription/, contender: OURS, metric: "perSecond", least: 500_000 },
    { setup: /^100 /, contender: OURS, metric: "perSecond", against: EMITTERY, least: 1 },
  ],
});
