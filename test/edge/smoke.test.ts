import { expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { collector } from "../contract/router/kit.ts";
import { WranglerDev } from "./wrangler-dev.ts";

test("[P2] [P3] [P9] wrangler dev: an acknowledged event is there after kill -9 of workerd, and its subscriber goes on behind it", async () => {
  await using edge = await WranglerDev.start();
  await using clients = new AsyncDisposableStack();
  const connect = (): EventRouterClient => clients.use(new EventRouterClient({ url: edge.url, timeout: "60s", reconnect: { minDelay: 20, maxDelay: 200 }, logger: { error: () => {} } }));
  const [publisher, reader] = [connect(), connect()];
  const { handler, count, events } = collector();
  await reader.subscribe("n", handler);
  await publisher.publish("n", 1);
  await count(1);
  const receipt = await publisher.publish("n", 2);
  await edge.kill();
  const third = publisher.publish("n", 3);
  await edge.start();
  expect((await third).seq).toBe(receipt.seq! + 1);
  await count(3);
  expect(events.map(({ payload }) => payload)).toEqual([1, 2, 3]);
  const late = collector();
  await connect().subscribe("n", { from: "start" }, late.handler);
  expect((await late.count(3)).map(({ payload }) => payload)).toEqual([1, 2, 3]);
});
