import { describe, expect, test } from "vitest";
import { Client } from "../../src/client/client.ts";
import { AuthenticationError, toWire } from "../../src/core/errors.ts";
import { steady } from "../../src/core/clock.ts";
import { settle } from "../support/test-clock.ts";
import { ScriptedRouter } from "./scripted-router.ts";

// What the simulator found in the client, each in its smallest form (docs/guarantees.md, "Found on the way").

describe("found by the simulator", () => {
  test("[P11] [I13] answers count as received at once: a router that waits for room is told, though the client has nothing else to say", async () => {
    const router = new ScriptedRouter();
    const client = router.client();
    const asked = [client.call("read"), client.call("read")];
    await router.take();
    router.say(["ok", 1, "x".repeat(200_000)]);
    expect(await router.take("ack")).toEqual([]);
    router.say(["ok", 2, "x".repeat(200_000)]);
    await Promise.all(asked);
    const [ack] = await router.take("ack");
    expect(ack?.args[0]).toBeGreaterThan(400_000);
    await client.close();
  });

  test("[P1] what was sent before the router refused the client for good may be stored: unknown, not failed", async () => {
    const router = new ScriptedRouter();
    const client = router.client();
    client.onError(() => {});
    const sent = client.publish("a").catch((error: unknown) => error);
    await router.take();
    router.cut();
    router.welcomes = false;
    const waits = client.publish("a").catch((error: unknown) => error);
    router.open();
    await settle();
    router.say(["bye", toWire(new AuthenticationError("ERR_REVOKED", "no longer"))]);
    expect(await sent).toMatchObject({ name: "ConnectionError", retryable: true, cause: { code: "ERR_REVOKED" } });
    expect(await waits).toMatchObject({ name: "AuthenticationError", retryable: false });
    await client.close();
  });

  test("[P7] what was asked before the router refused the client for good may have been carried out: unknown, not refused", async () => {
    const router = new ScriptedRouter();
    const client = router.client();
    client.onError(() => {});
    const sent = client.request("a").catch((error: unknown) => error);
    await router.take();
    router.say(["bye", toWire(new AuthenticationError("ERR_REVOKED", "no longer"))]);
    expect(await sent).toMatchObject({ name: "ConnectionError", retryable: true, cause: { code: "ERR_REVOKED" } });
    await client.close();
  });

  test("[P1] close() waits for what waits for a connection of the pool", async () => {
    const routers = [new ScriptedRouter(), new ScriptedRouter()];
    for (const router of routers) router.opensAtOnce = false;
    const links = routers.map((router) => router.makeLink);
    const client = new Client({ makeLink: () => links.shift()!(), clock: routers[0]!.clock, random: () => 0.5, randomBytes: (count) => new Uint8Array(count).fill(links.length) }, { poolSize: 2 });
    const published = client.publish("a");
    // The code of the pool is loaded when it is used.
    await expect.poll(() => routers[1]!.links).toBe(1);
    const closed = client.close();
    await settle();
    routers[1]!.open();
    const frames = await routers[1]!.take();
    routers[1]!.acknowledge(frames, 7);
    expect((await published).seq).toBe(7);
    await closed;
  });

  test("[I13] a clock that is set back by an hour does not keep a dead connection for an hour", async () => {
    const router = new ScriptedRouter();
    router.welcome = { ...router.welcome, heartbeat: 1_000 };
    const client = router.client();
    await client.connect();
    router.clock.set(router.clock.now() - 3_600_000);
    await router.clock.advance(8_000);
    expect(router.restarts.length).toBeGreaterThan(0);
    await client.close();
  });

  test("a steady time goes on from where it was when the clock is set back, at half its speed, until the clock has come after", () => {
    let time = 10_000;
    const now = steady(() => time);
    const at = (clock: number): number => {
      time = clock;
      return now();
    };
    expect([10_000, 2_000, 2_500, 3_000].map(at)).toEqual([10_000, 10_000, 10_250, 10_500]);
    expect([10_000, 16_000, 18_000].map(at)).toEqual([14_000, 16_000, 18_000]);
  });
});
