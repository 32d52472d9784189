import { expect, test } from "vitest";
import { Feed } from "../../src/client/feed.ts";
import type { RouterEvent } from "../../src/core/event.ts";

const limits = { frame: 1_000, payload: 1_000, batch: 10, windowEvents: 16, windowSize: 10_000 };
const event = (seq: number): RouterEvent => ({ id: `e${seq}`, type: "a", payload: null, seq, epoch: "epoch", timestamp: "2026-01-01T00:00:00.000Z", priority: 5 });

test("[P2] a subscription that is given up while a handler runs is done up to that event, not to those that were not started", () => {
  const feed = new Feed(1, ["a"], { began: () => {}, gap: () => {}, ended: () => {} } as unknown as ConstructorParameters<typeof Feed>[2]);
  feed.begin("epoch", 0, limits);
  for (const seq of [1, 2, 3]) feed.deliver(event(seq), 10);
  const running = feed.take()!;
  feed.end(undefined);
  feed.finish(running);
  expect(feed.low).toBe(1);
});
