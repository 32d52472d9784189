import { expect, test } from "vitest";
import { settle } from "../support/test-clock.ts";
import { KEY } from "./encryption/kit.ts";
import { line, ScriptedRouter } from "./scripted-router.ts";

/** A member of a group, that has done one job. */
async function scene(options: Parameters<ScriptedRouter["client"]>[0], handler: (seq: number) => void) {
  const router = new ScriptedRouter();
  const client = router.client(options);
  client.onError(() => {});
  await client.connect();
  const subscribed = client.subscribe({ topics: "n", group: "g", handler: ({ seq }) => handler(seq) });
  const [sub] = await router.take("sub");
  const id = sub!.args[0] as number;
  router.say(["on", id, "e1", 0]);
  await subscribed;
  router.say(["job", id, 1, 1, line(1)]);
  expect((await router.take("done")).map(({ args }) => args)).toEqual([[id, 1]]);
  return { router, id };
}

test("[I10] what was done when the connection was lost is not told in the next session, where its token is another job's", async () => {
  const { router, id } = await scene({}, () => {});
  router.say(["job", id, 2, 1, line(2)]);
  router.cut();
  router.open();
  await settle();
  expect((await router.take()).map(({ name }) => name)).toEqual(["hello", "sub"]);
  router.say(["on", id, "e1", 0], ["job", id, 2, 1, line(3)]);
  expect((await router.take("done")).map(({ args }) => args)).toEqual([[id, 2]]);
});

test("[I10] a failure whose reason was still being encrypted when the connection was lost is not told in the next session", async () => {
  const { router, id } = await scene({ encryption: { key: KEY } }, (seq) => { if (seq > 1) throw new Error("no"); });
  router.say(["job", id, 2, 1, line(2)]);
  router.cut();
  router.open();
  await settle();
  expect((await router.take()).map(({ name }) => name)).toEqual(["hello", "sub"]);
  router.say(["on", id, "e1", 0], ["job", id, 2, 1, line(3)]);
  await expect.poll(() => router.messages.join("\n")).toContain(`["nack",${id},2,`);
});
