import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import { redis } from "../contract/store/factories.ts";
import { storeContract } from "../contract/store/store-contract.ts";
import { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
beforeAll(async () => { server = await RedisServer.start(); });
afterAll(() => server[Symbol.asyncDispose]());

describe("redis-server", () => storeContract({ test }, redis(() => server.url), fc));
