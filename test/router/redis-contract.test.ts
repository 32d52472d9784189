import { afterAll, beforeAll, describe, test } from "vitest";
import { redisStore } from "../../src/stores/redis.ts";
import { homesOf } from "../contract/router/homes.ts";
import { routerContract } from "../contract/router/router-contract.ts";
import { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
beforeAll(async () => { server = await RedisServer.start(); });
afterAll(() => server[Symbol.asyncDispose]());

let places = 0;
/** Logs of its own on the one server. */
const redis = () => {
  const url = `${server.url}?prefix=home${++places}:` as const;
  return { option: url as `redis://${string}`, outlives: true, open: () => redisStore(url), remove() {} };
};

for (const { name, make } of homesOf({ redis })) describe(name, () => routerContract({ test }, make));
