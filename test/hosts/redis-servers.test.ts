import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKey } from "../../src/auth/api-keys.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { RedisServer } from "../support/redis-server.ts";

let redis: RedisServer;
beforeAll(async () => { redis = await RedisServer.start(); });
afterAll(() => redis[Symbol.asyncDispose]());

const connect = (server: RunningServer, key: string) => new EventRouterClient({ url: server.url, auth: { type: "api_key", key }, logger: { error: () => {} } });

test("[I15] a key that is revoked at one server is out at the others, and at one that is started later", async () => {
  const { key, entry } = await createApiKey({ id: "shop", permissions: ["publish:**", "subscribe:**"] });
  const desk = await createApiKey({ id: "desk", permissions: ["admin"] });
  const start = () => serve({ port: 0, store: `${redis.url}?prefix=revoked:` as `redis://${string}`, auth: { apiKeys: [entry, desk.entry] } });
  await using one = await start();
  await using two = await start();
  await using client = connect(two, key);
  const seqs: number[] = [];
  await client.subscribe("order.*", ({ seq }) => void seqs.push(seq));
  await client.publish("order.placed");
  await expect.poll(() => seqs).toEqual([1]);

  one.auth!.apiKeys!.revoke("shop");
  await expect.poll(() => client.state).toBe("closed");
  await expect(client.publish("order.paid")).rejects.toMatchObject({ code: expect.stringMatching(/ERR_(REVOKED|CLOSED)/) as string });
  await using three = await start();
  await using again = connect(three, key);
  await expect(again.connect()).rejects.toMatchObject({ name: "AuthenticationError" });
  await using other = connect(three, desk.key);
  await other.publish("order.paid");
  expect(seqs).toEqual([1]);
});
