import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { defineEvents, EventRouterClient, type RouterEvent } from "../../src/index.ts";

/* As typed-events.test.ts: `tsc` is the test. Here: what is said in other forms than `publish(type, payload)`, and schemas that transform. */

const schema = defineEvents({
  "user.created": z.object({ id: z.number(), name: z.string() }),
  "order.created": z.object({ total: z.number() }),
  "note": z.string(),
});
type Created = { id: number; name: string };

const make = () => new EventRouterClient({ schema, transport: "memory" });
/** For the compiler only. */
const compiles = (_client: (client: ReturnType<typeof make>) => unknown): void => {};

test("an event in one object is checked as the tuple is", () => compiles((client) => {
  client.publish({ type: "user.created", payload: { id: 1, name: "A" }, priority: 8 });
  // @ts-expect-error -- the payload is another's
  client.publish({ type: "user.created", payload: { total: 1 } });
  // @ts-expect-error -- an unknown type
  client.publish({ type: "user.exploded", payload: {} });
  // @ts-expect-error -- the payload is another's
  client.publishEvents([{ type: "note", payload: { total: 1 } }]);
  client.publishEvents([{ type: "note", payload: "n" }, { type: "order.created", payload: { total: 1 } }]);
  client.publishBatch([["note", "n"], ["order.created", { total: 1 }]]);
  // @ts-expect-error -- a batch is checked too
  client.publishBatch([["note", "n"], ["order.created", "n"]]);
  // @ts-expect-error -- an unknown type in a batch
  client.publishBatch([["nothing", "n"]]);
  client.transaction((tx) => tx.publish("order.created", { total: 1 }));
  // @ts-expect-error -- and so is a transaction
  client.transaction((tx) => tx.publish("order.created", { total: "1" }));
}));

test("a payload that the schema asks for cannot be left out", () => compiles((client) => {
  // @ts-expect-error -- it would be null
  client.publish("user.created");
}));

test("a whole subscription in one object is narrowed by its topics", () => compiles(async (client) => {
  await client.subscribe({ topics: "user.created", handler: ({ payload }) => expectTypeOf(payload).toEqualTypeOf<Created>() });
  await client.subscribe({ topics: ["user.created", "note"], handler: (event) => expectTypeOf(event).toEqualTypeOf<RouterEvent<Created, "user.created"> | RouterEvent<string, "note">>() });
}));

test("what a schema takes and what it makes are told apart", () => {
  const dates = defineEvents({ met: z.object({ at: z.string().transform((text) => new Date(text).getTime()), note: z.string().default("none") }) });
  const made = (client: ReturnType<typeof makeDates>): unknown => {
    // What is said is the schema's input …
    client.publish("met", { at: "2026-01-01" });
    // @ts-expect-error -- its output is not what it takes
    client.publish("met", { at: 0, note: "n" });
    // … and what is heard its output.
    return client.on("met", ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ at: number; note: string }>());
  };
  const makeDates = () => new EventRouterClient({ schema: dates, transport: "memory" });
  expect(made).toBeTypeOf("function");
});
