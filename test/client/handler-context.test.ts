import { describe, expect, test } from "vitest";
import type { HandlerContext } from "../../src/client/handler-context.ts";
import { settle } from "../support/test-clock.ts";
import { line, ScriptedRouter } from "./scripted-router.ts";

async function connected(permissions?: readonly string[], subject?: string) {
  const router = new ScriptedRouter();
  router.welcome = { ...router.welcome, ...(permissions && { permissions }), ...(subject && { subject }) };
  const client = router.client();
  await client.connect();
  await router.take();
  return { router, client };
}

async function contextOfOne(permissions?: readonly string[], subject?: string): Promise<HandlerContext> {
  const { router, client } = await connected(permissions, subject);
  return new Promise((resolve) => {
    const sub = client.on("n", (_, context) => resolve(context));
    void router.take().then(() => {
      router.say(["on", sub.id, "e1", 0]);
      router.deliver([sub.id], 1);
    });
  });
}

describe("what a handler is told besides its event", () => {
  test("the first try of an event of a subscription", async () => {
    const { router, client } = await connected();
    const contexts: HandlerContext[] = [];
    const sub = client.on("n", (_, context) => void contexts.push(context));
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1, 2);
    expect(contexts.map(({ subscription, attempt, redelivered }) => [subscription, attempt, redelivered])).toEqual([[sub, 1, false], [sub, 1, false]]);
    expect(contexts[0]!.signal.aborted).toBe(false);
    void sub.unsubscribe();
    expect(contexts[0]!.signal.aborted).toBe(true);
  });

  test("why the subscription ended is the signal's reason", async () => {
    const { router, client } = await connected();
    client.onError(() => {});
    let signal: AbortSignal | undefined;
    const sub = client.on("n", (_, context) => void (signal = context.signal));
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1);
    router.say(["end", sub.id, ["PermissionError", "ERR_PERMISSION", "no longer", 0]]);
    expect(signal!.reason).toMatchObject({ code: "ERR_PERMISSION" });
  });

  test("a request's signal aborts when the answer would be for nobody; stopping lets it be answered", async () => {
    const { router, client } = await connected();
    const contexts: HandlerContext[] = [];
    const responder = client.respond("n", async (_, context) => {
      contexts.push(context);
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    });
    await import("../../src/client/responders.ts");
    const [serve] = await router.take("serve");
    router.say(["on", serve!.args[0] as number, "e1", 0], ["ask", 1, 5_000, line(0, "n")]);
    await settle();
    expect(contexts[0]).toMatchObject({ subscription: undefined, attempt: 1, redelivered: false });
    void responder.stop();
    await settle();
    expect(contexts[0]!.signal.aborted).toBe(false);
    router.cut();
    expect(contexts[0]!.signal.aborted).toBe(true);
  });
});

describe("the user", () => {
  test("is as the router says, and anonymous if it says nothing", async () => {
    const { user } = await contextOfOne(["manage", "publish:order.*"], "key:4f2a");
    expect([user.subject, user.permissions]).toEqual(["key:4f2a", ["manage", "publish:order.*"]]);
    const nobody = (await contextOfOne()).user;
    expect([nobody.subject, nobody.permissions, nobody.hasPermission("manage")]).toEqual([undefined, [], false]);
  });

  test("stays during a cut, and is another when the router says so", async () => {
    const { router, client } = await connected(["a"]);
    let context: HandlerContext | undefined;
    const sub = client.on("n", (_, one) => void (context = one));
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.deliver([sub.id], 1);
    router.cut();
    expect(context!.user.permissions).toEqual(["a"]);
    router.welcome = { ...router.welcome, permissions: ["b"] };
    router.open();
    await settle();
    expect(context!.user.permissions).toEqual(["b"]);
  });

  test.each([
    [["manage"], "manage", true],
    [["manage"], "admin", false],
    [["admin"], "anything:at.all", true],
    [["read:report.*"], "read:report.daily", true],
    [["read:report.*"], "read:report.daily.eu", false],
    [["read:report.**"], "read:report.daily.eu", true],
    [["read:report.**"], "read:report", true],
    [["read:**.eu"], "read:report.daily.eu", true],
    [["read:**.eu"], "read:report.daily.us", false],
    [["read:*"], "write:report", false],
    [["read:a", "read:b"], "read:b", true],
    [["read:a"], "read:a.b", false],
    [["read:a.*"], "read:a", false],
  ])("%j covers %s: %s", async (permissions, asked, covered) => {
    expect((await contextOfOne(permissions)).user.hasPermission(asked)).toBe(covered);
  });
});
