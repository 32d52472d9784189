import { expect, test } from "vitest";
import { numbered, World } from "../support/world.ts";

test("readers that are at the same place behind the head get the same bytes, made once", async () => {
  const world = new World({ limits: { windowEvents: 4 } });
  const readers = [await world.client(), await world.client()];
  for (const reader of readers) reader.say(["sub", 1, { topics: ["t"] }]);
  const other = await world.client();
  other.say(["sub", 1, { topics: ["t"], filter: { id: "e6" } }]);
  await world.settle();
  const publisher = await world.client();
  publisher.publish(numbered(1, 12));
  await world.settle();
  for (const done of [4, 8]) {
    const had = readers.map(({ messages }) => messages.length);
    for (const reader of readers) reader.say(["ack", reader.received, 1, done]);
    await world.settle();
    const [one, two] = readers.map(({ messages }, i) => messages.slice(had[i]));
    expect(one).toHaveLength(1);
    expect(one![0]!.text).toMatch(new RegExp(`^\\["ev",\\[1\\],\\[\\[${done + 1},.*"e${done + 4}","t",null\\]\\]\\]$`));
    expect(two![0]).toBe(one![0]);
  }
  expect(other.messages.at(-1)!.text).toMatch(/^\["ev",\[1\],\[\[6,.*"e6","t",null\]\]\]$/);
});
