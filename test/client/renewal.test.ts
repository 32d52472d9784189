import { expect, test } from "vitest";
import { AuthenticationError } from "../../src/core/errors.ts";
import { settle } from "../support/test-clock.ts";
import { ScriptedRouter, type SentFrame } from "./scripted-router.ts";

/** A client whose token is a function that counts, at a router that says how long a token is good. */
async function scene(expiresIn: number, token: (call: number) => string = (call) => `token-${call}`) {
  let made = 0;
  const router = new ScriptedRouter();
  router.welcome = { ...router.welcome, expiresIn, permissions: ["subscribe:n"] };
  const errors: unknown[] = [];
  const client = router.client({ auth: { type: "jwt", token: () => token(++made) } });
  client.onError((error) => errors.push(error));
  await client.connect();
  // The client loads it when it is needed first.
  await import("../../src/client/renewal.ts");
  await settle();
  const auths = async (): Promise<SentFrame[]> => router.take("auth");
  await router.take();
  return { router, client, errors, auths };
}

test("a minute before a token runs out another is shown in the same session, again and again", async () => {
  const { router, auths, errors } = await scene(3_600_000);
  await router.clock.advance(3_600_000 - 60_001);
  expect(await auths()).toEqual([]);
  await router.clock.advance(1);
  const [first] = await auths();
  expect(first!.args).toEqual([expect.any(Number), { type: "jwt", token: "token-2" }]);
  router.say(["rights", { expiresIn: 600_000 }], ["ok", first!.args[0] as number, null]);
  await router.clock.advance(540_000);
  const [second] = await auths();
  expect(second!.args[1]).toEqual({ type: "jwt", token: "token-3" });
  expect([router.links, errors]).toEqual([1, []]);
});

test("of a short time three quarters are used; a token that is not renewed is left to run out", async () => {
  const { router, auths } = await scene(8_000, () => "always the same");
  await router.clock.advance(6_000);
  const [first] = await auths();
  // The router says what is left of it: tries go on while it is worth it, ever closer, then stop.
  router.say(["rights", { expiresIn: 2_000 }], ["ok", first!.args[0] as number, null]);
  await router.clock.advance(1_500);
  const [second] = await auths();
  router.say(["rights", { expiresIn: 500 }], ["ok", second!.args[0] as number, null]);
  await router.clock.advance(100_000);
  expect(await auths()).toEqual([]);
});

test("a token function that fails is told to onError and asked again while there is time", async () => {
  const { router, auths, errors } = await scene(100_000, (call) => {
    if (call === 2 || call === 3) throw new Error("the login server is away");
    return "fine";
  });
  await router.clock.advance(75_000);
  expect(errors).toEqual([expect.objectContaining({ name: "AuthenticationError", code: "ERR_TOKEN" })]);
  await router.clock.advance(18_750);
  expect([errors.length, (await auths()).length]).toEqual([2, 0]);
  await router.clock.advance(5_000);
  expect(await auths()).toHaveLength(1);
});

test("a refused token is told, and the session goes on with the last one", async () => {
  const { router, auths, errors, client } = await scene(100_000);
  await router.clock.advance(75_000);
  const [frame] = await auths();
  router.say(["err", frame!.args[0] as number, ["AuthenticationError", "ERR_UNAUTHENTICATED", "no", 0]]);
  expect(errors).toEqual([expect.objectContaining({ code: "ERR_UNAUTHENTICATED" })]);
  expect(client.state).toBe("connected");
  await router.clock.advance(24_000);
  expect(await auths()).toHaveLength(1);
});

test("[P2] a session that ran out is begun anew with a new token; subscriptions go on where they were", async () => {
  const { router, client } = await scene(10_000);
  const handled: number[] = [];
  const sub = client.on("n", ({ seq }) => void handled.push(seq));
  await router.take();
  router.say(["on", sub.id, "e1", 0]);
  router.deliver([sub.id], 1, 2);
  await router.take();
  router.say(["bye", ["AuthenticationError", "ERR_EXPIRED", "run out", 1, { retryAfter: 0 }]]);
  await settle();
  const frames = await router.take("hello", "sub");
  expect(frames.map(({ name }) => name)).toEqual(["hello", "sub"]);
  expect(frames[0]!.args[0]).toMatchObject({ auth: { type: "jwt", token: "token-2" } });
  expect(frames[1]!.args).toEqual([sub.id, expect.objectContaining({ from: ["e1", 2] })]);
  expect(client.state).toBe("connected");
});

test("a token that is a text is shown once; when it has run out, that is told and the client is closed", async () => {
  const router = new ScriptedRouter();
  router.welcome = { ...router.welcome, expiresIn: 1_000 };
  const errors: unknown[] = [];
  const client = router.client({ auth: { type: "jwt", token: "once" } });
  client.onError((error) => errors.push(error));
  await client.connect();
  await router.clock.advance(2_000);
  expect(await router.take("auth")).toEqual([]);
  router.say(["bye", ["AuthenticationError", "ERR_EXPIRED", "run out", 0]]);
  expect([client.state, errors[0]]).toEqual(["closed", expect.any(AuthenticationError)]);
});

test("what the router says of the client's rights in mid-session is what handlers see", async () => {
  const { router, client } = await scene(3_600_000);
  const seen: boolean[] = [];
  const sub = client.on("n", (_, { user }) => void seen.push(user.hasPermission("subscribe:n"), user.hasPermission("read:report.a"), user.hasPermission("admin")));
  await router.take();
  router.say(["on", sub.id, "e1", 0]);
  router.deliver([sub.id], 1);
  router.say(["rights", { permissions: ["read:report.*", "deny:subscribe:**"] }]);
  router.deliver([sub.id], 2);
  router.say(["rights", { permissions: ["admin", "deny:read:report.a"] }]);
  router.deliver([sub.id], 3);
  expect(seen).toEqual([true, false, false, false, true, false, true, false, true]);
});
