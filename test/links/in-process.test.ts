import { expect, test } from "vitest";
import { PING, PONG } from "../../src/core/frames.ts";
import { inProcessLink } from "../../src/links/in-process.ts";
import { allMicrotasks } from "../support/fake-surroundings.ts";
import { World } from "../support/world.ts";

/** A link to a router, and what its listener heard. */
function linked(world: World) {
  const heard: string[] = [];
  const link = inProcessLink(world.router);
  link.start({
    open: () => heard.push("open"),
    message: (message) => heard.push(message),
    down: (error, final) => heard.push(`down ${error.code}${final ? " for good" : ""}`),
  });
  return { link, heard };
}

const HELLO = '["hello",{"v":1}]';
const kinds = (heard: readonly string[]) => heard.map((one) => /^\["(\w+)"/.exec(one)?.[1] ?? one);

test("opens, carries messages both ways, in later microtasks", async () => {
  const world = new World();
  const { link, heard } = linked(world);
  expect(heard).toEqual([]);
  await world.settle();
  expect(heard).toEqual(["open"]);
  link.send(PING);
  expect(heard).toEqual(["open"]);
  await allMicrotasks();
  expect(heard).toEqual(["open", PONG]);
  link.send(HELLO);
  await world.settle();
  expect(kinds(heard)).toEqual(["open", PONG, "welcome"]);
});

test("keeps the order of messages", async () => {
  const world = new World();
  const { link, heard } = linked(world);
  await world.settle();
  link.send(HELLO);
  await world.settle();
  for (let id = 1; id <= 20; id++) link.send(`["unsub",${id}]`);
  await world.settle();
  expect(heard.slice(2).flatMap((one) => one.split("\n"))).toEqual(Array.from({ length: 20 }, (_, i) => `["end",${i + 1}]`));
});

test("the router's end is told after its last words, and is not for good", async () => {
  const world = new World();
  const { link, heard } = linked(world);
  await world.settle();
  link.send("nonsense");
  await world.settle();
  expect(kinds(heard)).toEqual(["open", "bye", "down ERR_CONNECTION_LOST"]);
  link.send(PING);
  await world.settle();
  expect(heard).toHaveLength(3);
});

test("close delivers what was sent before, tells the router, and says nothing more", async () => {
  const world = new World();
  const { link, heard } = linked(world);
  await world.settle();
  link.send(HELLO);
  await world.settle();
  link.send('["pub",1,1]\n["a","t",1]');
  link.close();
  await world.settle();
  expect((await world.log()).head).toBe(1);
  expect(world.stats().connections).toBe(0);
  expect(kinds(heard)).toEqual(["open", "welcome"]);
});

test("closed before it was open: never opens", async () => {
  const world = new World();
  const { link, heard } = linked(world);
  link.close();
  await world.settle();
  expect(heard).toEqual([]);
});

test("restart drops the session at once and tells; messages of the old one do not arrive any more", async () => {
  const world = new World();
  const { link, heard } = linked(world);
  await world.settle();
  link.send(HELLO);
  await world.settle();
  link.send('["unsub",1]');
  await allMicrotasks();
  link.restart(60_000);
  await world.settle();
  expect(world.stats().connections).toBe(0);
  expect(kinds(heard)).toEqual(["open", "welcome", "down ERR_CONNECTION_LOST"]);
  link.close();
});
