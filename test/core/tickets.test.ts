import { expect, test } from "vitest";
import { Tickets } from "../../src/core/tickets.ts";
import { everything } from "../../src/core/policy.ts";
import { RawClient } from "../support/raw-client.ts";
import { testPolicy } from "../support/test-policy.ts";
import { World } from "../support/world.ts";

const grants = () => ({ shop: { subject: "shop", name: "till", may: { subscribe: ["order.*"] } } });

async function scene() {
  const world = new World({ policy: testPolicy(grants()) });
  const shop = await world.client({ auth: { type: "api_key", key: "shop" } });
  const asked = shop.call("ticket");
  await world.settle();
  const { ticket, expiresIn } = shop.answerTo(asked)![1] as { ticket: string; expiresIn: number };
  const enter = async (hello = {}, text = ticket) => {
    const client = new RawClient(world.router, { ticket: text });
    client.hello(hello);
    await world.settle();
    return client;
  };
  return { world, ticket, expiresIn, enter };
}

test("a ticket opens one session, as who asked for it", async () => {
  const { ticket, expiresIn, enter } = await scene();
  expect([ticket, expiresIn]).toEqual([expect.stringMatching(/^[0-9A-Za-z]{32}$/), 30_000]);
  const first = await enter();
  expect(first.welcome).toMatchObject({ subject: "shop", name: "till" });
  const second = await enter();
  expect([second.bye?.[1], second.closed?.code]).toEqual(["ERR_TICKET", 4401]);
});

test.each<[what: string, hello: object, wait: number, text: string | undefined, code: string]>([
  ["after half a minute", {}, 30_000, undefined, "ERR_TICKET"],
  ["in another namespace", { namespace: "other" }, 0, undefined, "ERR_TICKET"],
  ["that was made up", {}, 0, "a".repeat(32), "ERR_TICKET"],
  ["under another name", { name: "bank" }, 0, undefined, "ERR_NAME_FIXED"],
  ["that is called __proto__", {}, 0, "__proto__", "ERR_TICKET"],
])("a ticket %s opens nothing, and is spent", async (_, hello, wait, text, code) => {
  const { world, enter } = await scene();
  await world.pass(wait);
  expect((await enter(hello, text)).bye?.[1]).toBe(code);
  if (text === undefined) expect((await enter()).bye?.[1]).toBe("ERR_TICKET");
});

test("who came with a ticket gets no other, and must show a credential to stay under another", async () => {
  const { world, enter } = await scene();
  const guest = await enter();
  const asked = guest.call("ticket");
  await world.settle();
  expect(guest.codeOf(asked)).toBe("ERR_TICKET");
  guest.say(["auth", 9, { type: "api_key", key: "shop" }], ["auth", 10, { type: "api_key", key: "wrong" }]);
  await world.settle();
  expect([guest.answerTo(9)?.[0], guest.codeOf(10)]).toEqual(["ok", "ERR_CREDENTIAL"]);
});

test("[P11] so many tickets and no more are out", async () => {
  let now = 0;
  const tickets = new Tickets({ now: () => now, randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) });
  const issue = () => tickets.issue({ rights: everything }, "default");
  let out = 0;
  await expect((async () => { for (; out < 20_000; out++) await issue(); })()).rejects.toMatchObject({ code: "ERR_BUSY", retryable: true });
  now = 30_000;
  await issue();
});
