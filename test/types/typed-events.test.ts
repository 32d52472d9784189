import { afterEach, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { z } from "zod";
import { Client } from "../../src/client/client.ts";
import type { Clock } from "../../src/core/clock.ts";
import { Router } from "../../src/core/router.ts";
import { serverSurroundings } from "../../src/hosts/surroundings.ts";
import { defineEvents, EventRouterClient, ValidationError, type EventOf, type EventSchemas, type PayloadOf, type Receipt, type RouterEvent, type StandardSchema, type Subscription } from "../../src/index.ts";
import { inProcessLink } from "../../src/links/in-process.ts";
import { memoryStore } from "../../src/stores/memory.ts";

/*
 * `tsc` is the test of what the compiler allows: `npm run typecheck` fails on a line that is marked as an error and is none, and on a type that differs.
 * What is under `compiles` is never run.
 */

const schema = defineEvents({
  "user.created": z.object({ id: z.number(), name: z.string() }),
  "user.deleted": z.object({ id: z.number(), reason: z.string().optional() }),
  "user.profile.updated": z.object({ bio: z.string() }),
  "order.created": z.object({ total: z.number() }),
  "note": z.string(),
});

type Created = { id: number; name: string };
type Deleted = { id: number; reason?: string | undefined };
type UserCreated = RouterEvent<Created, "user.created">;
type UserDeleted = RouterEvent<Deleted, "user.deleted">;
type UserUpdated = RouterEvent<{ bio: string }, "user.profile.updated">;
type OrderCreated = RouterEvent<{ total: number }, "order.created">;
type Note = RouterEvent<string, "note">;
type AnyOfThem = UserCreated | UserDeleted | UserUpdated | OrderCreated | Note;

/** For the compiler only. */
const compiles = (_client: (client: EventRouterClient<Events>) => unknown): void => {};
const typed = (): EventRouterClient<Events> => new EventRouterClient({ schema, transport: "memory" });
type Events = typeof schema extends EventSchemas<infer Known> ? Known : never;

test("a client knows the events of its schema", () => {
  const made = (): unknown => {
    const client = new EventRouterClient({ schema });
    expectTypeOf<Parameters<typeof client.on<"user.created">>[1]>().not.toBeAny();
    client.on("user.created", ({ payload }) => expectTypeOf(payload).toEqualTypeOf<Created>());
    // @ts-expect-error -- a type that the schema does not have
    return client.publish("user.craeted", { id: 1, name: "A" });
  };
  expect(made).toBeTypeOf("function");
  expectTypeOf(schema["user.created"]).toExtend<StandardSchema>();
});

test("publish takes the payloads of the schema, and no others", () => compiles((client) => {
  expectTypeOf(client.publish("user.created", { id: 1, name: "A" })).toEqualTypeOf<Promise<Receipt>>();
  client.publish("user.deleted", { id: 1 }, { priority: 8 });
  client.publish("note", "text");
  client.publishNowait("user.created", { id: 1, name: "A" });
  // @ts-expect-error -- a number is no name
  client.publish("user.created", { id: 1, name: 2 });
  // @ts-expect-error -- the name is missing
  client.publish("user.created", { id: 1 });
  // @ts-expect-error -- a field that the schema does not have
  client.publish("user.created", { id: 1, name: "A", nmae: "B" });
  // @ts-expect-error -- an unknown type
  client.publish("user.exploded", { id: 1, name: "A" });
  // @ts-expect-error -- the payload of another type
  client.publish("order.created", { id: 1, name: "A" });
  // @ts-expect-error -- publishNowait is checked as publish is
  client.publishNowait("user.created", { id: "1", name: "A" });
  // @ts-expect-error -- an option of no publish
  client.publish("note", "text", { prio: 3 });
}));

test("an exact type gives its payload", () => compiles((client) => {
  client.on("user.created", (event) => {
    expectTypeOf(event).toEqualTypeOf<UserCreated>();
    expectTypeOf(event.payload.name).toBeString();
    // @ts-expect-error -- the payload has no such field
    void event.payload.nmae;
    // @ts-expect-error -- an event is an immutable fact
    event.seq = 1;
  });
}));

test("a pattern gives a union, which the type narrows", () => compiles((client) => {
  client.on("user.*", (event) => {
    expectTypeOf(event).toEqualTypeOf<UserCreated | UserDeleted>();
    // @ts-expect-error -- not every event of the union has a name
    void event.payload.name;
    if (event.type === "user.created") expectTypeOf(event.payload).toEqualTypeOf<Created>();
    else expectTypeOf(event.payload).toEqualTypeOf<Deleted>();
    // @ts-expect-error -- `*` is exactly one segment, so this can never be
    void (event.type === "user.profile.updated");
    switch (event.type) {
      case "user.created": return event.payload.name;
      case "user.deleted": return event.payload.reason;
      default: return expectTypeOf(event).toBeNever();
    }
  });
}));

test("`**` is any number of segments, wherever it stands", () => {
  expectTypeOf<EventOf<Events, "user.**">>().toEqualTypeOf<UserCreated | UserDeleted | UserUpdated>();
  expectTypeOf<EventOf<Events, "**">>().toEqualTypeOf<AnyOfThem>();
  expectTypeOf<EventOf<Events, "**.created">>().toEqualTypeOf<UserCreated | OrderCreated>();
  expectTypeOf<EventOf<Events, "user.**.updated">>().toEqualTypeOf<UserUpdated>();
  expectTypeOf<EventOf<Events, "user.created.**">>().toEqualTypeOf<UserCreated>();
  expectTypeOf<EventOf<Events, "**.user.**.created.**">>().toEqualTypeOf<UserCreated>();
});

test("`*` is exactly one segment, wherever it stands", () => {
  expectTypeOf<EventOf<Events, "*">>().toEqualTypeOf<Note>();
  expectTypeOf<EventOf<Events, "*.created">>().toEqualTypeOf<UserCreated | OrderCreated>();
  expectTypeOf<EventOf<Events, "*.*">>().toEqualTypeOf<UserCreated | UserDeleted | OrderCreated>();
  expectTypeOf<EventOf<Events, "user.*.updated">>().toEqualTypeOf<UserUpdated>();
  expectTypeOf<EventOf<Events, "*.**">>().toEqualTypeOf<AnyOfThem>();
});

test("several patterns give what any of them does", () => compiles((client) => {
  client.on(["user.created", "order.*"], (event) => expectTypeOf(event).toEqualTypeOf<UserCreated | OrderCreated>());
  client.subscribe(["note", "user.profile.*"], (event) => expectTypeOf(event).toEqualTypeOf<Note | UserUpdated>());
  client.on(["user.*", "user.created"] as const, (event) => expectTypeOf(event).toEqualTypeOf<UserCreated | UserDeleted>());
}));

test("a pattern that no type of the schema fits gives events of unknown payload", () => compiles((client) => {
  client.on("metric.*", (event) => {
    expectTypeOf(event).toEqualTypeOf<RouterEvent>();
    expectTypeOf(event.payload).toBeUnknown();
  });
}));

test("a pattern that is not known when compiled gives all that there is", () => compiles((client) => {
  const pattern = String(Math.random());
  client.on(pattern, (event) => expectTypeOf(event).toEqualTypeOf<AnyOfThem>());
}));

test("with options, and as subscribe: the same types", () => compiles(async (client) => {
  client.on("user.created", { filter: { priority: 9 } }, ({ payload }) => expectTypeOf(payload).toEqualTypeOf<Created>());
  expectTypeOf(await client.subscribe("user.*", ({ payload }) => expectTypeOf(payload).toEqualTypeOf<Created | Deleted>())).toEqualTypeOf<Subscription<UserCreated | UserDeleted>>();
  await client.subscribe("order.created", { from: "start" }, ({ payload }) => expectTypeOf(payload.total).toBeNumber());
  // @ts-expect-error -- an option of no subscription
  client.on("user.created", { concurency: 2 }, () => {});
}));

test("what is iterated has the same types as what is handled", () => compiles(async (client) => {
  for await (const event of await client.subscribe("user.*")) expectTypeOf(event).toEqualTypeOf<UserCreated | UserDeleted>();
  for await (const event of client.stream("order.created")) expectTypeOf(event).toEqualTypeOf<OrderCreated>();
  for await (const batch of client.stream(["note", "order.*"], { batchSize: 100 })) expectTypeOf(batch).toEqualTypeOf<(Note | OrderCreated)[]>();
  for await (const batch of client.stream("note", { timeout: "1s" })) expectTypeOf(batch).toEqualTypeOf<Note[]>();
  expectTypeOf(client.stream("note").toReadableStream()).toEqualTypeOf<ReadableStream<Note>>();
  // @ts-expect-error -- a stream is read one by one
  client.stream("note", { concurrency: 2 });
}));

test("requests are checked, and responders see them", () => compiles(async (client) => {
  const response = await client.request<{ result: number }>("order.created", { total: 1 });
  expectTypeOf(response.payload).toEqualTypeOf<{ result: number }>();
  // @ts-expect-error -- the payload is another's
  await client.request("order.created", { name: "A" });
  // @ts-expect-error -- an unknown type
  await client.request("order.exploded", {});
  client.respond("order.created", (request) => {
    expectTypeOf(request.payload).toEqualTypeOf<{ total: number }>();
    return { result: request.payload.total };
  });
}));

test("without a schema everything goes, and a payload is what JSON.parse gives", () => {
  const loose = (client: EventRouterClient): unknown => {
    client.on("anything.at.all", (event) => {
      expectTypeOf(event.payload).toBeAny();
      expectTypeOf(event.type).toBeString();
    });
    client.publish("anything.at.all", { deep: [1] }, { priority: 1 });
    client.publish("nothing");
    client.publishBatch([["a", 1], ["b", "2"], ["c"]]);
    client.respond("add", (request) => request.payload.x + request.payload.y);
    return client.request("add", { x: 1, y: 2 }).then(({ payload }) => expectTypeOf(payload).toBeAny());
  };
  expect(loose).toBeTypeOf("function");
  expectTypeOf(new EventRouterClient({ transport: "memory" })).toEqualTypeOf<EventRouterClient>();
});

test("a payload's type can be named", () => {
  expectTypeOf<PayloadOf<Events, "user.created">>().toEqualTypeOf<Created>();
  expectTypeOf(typed).returns.toEqualTypeOf<EventRouterClient<Events>>();
});

// ——— And when it runs ———

const clock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
const routers: Router[] = [];
afterEach(async () => {
  for (const router of routers.splice(0)) await router.close();
});

/** A client over a router of its own, and one beside it that knows no schema and hears all. */
async function checked(schemas: Readonly<Record<string, StandardSchema>>) {
  const router: Router = new Router({ store: memoryStore({ randomBytes }), surroundings: serverSurroundings(() => router.tick()) });
  routers.push(router);
  const surroundings = { makeLink: () => inProcessLink(router), clock, random: Math.random, randomBytes };
  const errors: [unknown, unknown][] = [];
  const client = new Client(surroundings, { schema: schemas as never });
  const plain = new Client(surroundings);
  onTestFinished(async () => void (await Promise.all([client.close(), plain.close()])));
  client.onError((error, event) => void errors.push([(error as { code?: unknown }).code, event?.payload]));
  const heard = plain.stream("**", { from: "start" })[Symbol.asyncIterator]();
  return { client, plain, errors, next: async () => (await heard.next()).value?.payload as unknown };
}

const failure = async (promise: Promise<unknown>): Promise<ValidationError> => promise.then(() => { throw new Error("it was accepted"); }, (error: unknown) => error as ValidationError);

test("a payload that does not fit is refused before it is sent, with the path of each issue", async () => {
  const { client, next } = await checked(schema);
  const error = await failure(client.publish("user.created", { id: "1", name: 2 }));
  expect(error).toBeInstanceOf(ValidationError);
  expect(error.code).toBe("ERR_SCHEMA");
  expect(error.message).toMatch(/^the payload of "user\.created" does not fit its schema: payload\.id: .*; payload\.name: /);
  expect(error.details).toMatchObject({ path: "payload.id", issues: [{ path: "payload.id" }, { path: "payload.name" }] });
  await client.publish("user.created", { id: 1, name: "A" });
  expect(await next()).toEqual({ id: 1, name: "A" });
});

test("an issue of the payload itself has the payload for its path", async () => {
  const { client } = await checked(schema);
  expect((await failure(client.publish("note", 5))).details).toMatchObject({ path: "payload" });
});

test("what the schema makes of a payload is what is published", async () => {
  const { client, next } = await checked({ met: z.object({ at: z.string().transform((text) => new Date(text).getTime()), note: z.string().default("none") }) });
  await client.publish("met", { at: "1970-01-01T00:00:01Z", extra: true });
  expect(await next()).toEqual({ at: 1_000, note: "none" });
});

test("what the schema makes of it must be JSON too", async () => {
  const { client } = await checked({ big: z.object({ n: z.coerce.bigint() }) });
  expect(await failure(client.publish("big", { n: "5" }))).toMatchObject({ code: "ERR_PAYLOAD", details: { path: "payload.n" } });
});

test("a schema that takes its time is waited for, and refuses as others do", async () => {
  const taken = z.object({ name: z.string().refine(async (name) => (await Promise.resolve(name)) !== "taken", "is taken") });
  const { client, next } = await checked({ named: taken });
  expect(await failure(client.publish("named", { name: "taken" }))).toMatchObject({ code: "ERR_SCHEMA", message: expect.stringContaining("payload.name: is taken") });
  const [free] = await client.publishBatch([["named", { name: "free" }]]);
  expect(free!.seq).toBe(1);
  expect(await next()).toEqual({ name: "free" });
});

test("a schema that throws is the publisher's failure, not the process's", async () => {
  const broken: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: () => { throw new RangeError("no idea"); } } };
  const { client } = await checked({ broken });
  expect(await failure(client.publish("broken", {}))).toBeInstanceOf(RangeError);
});

test("one payload that does not fit keeps its whole batch and its whole transaction from being sent", async () => {
  const { client, next } = await checked(schema);
  expect(await failure(client.publishBatch([["note", "first"], ["note", 2]]))).toMatchObject({ code: "ERR_SCHEMA" });
  expect(await failure(client.publishEvents([{ type: "note", payload: "first" }, { type: "note", payload: 2 }]))).toMatchObject({ code: "ERR_SCHEMA" });
  expect(await failure(client.transaction(async (tx) => {
    await tx.publish("note", "first");
    await tx.publish("note", 2);
  }))).toMatchObject({ code: "ERR_SCHEMA" });
  expect((await client.publish("note", "only")).seq).toBe(1);
  expect(await next()).toBe("only");
});

test("publishNowait tells onError of what does not fit", async () => {
  const { client, errors } = await checked(schema);
  client.publishNowait("note", 5);
  await client.publish("note", "after");
  expect(errors).toEqual([["ERR_SCHEMA", 5]]);
});

test("a request is checked by the asker's schema, and a response is not", async () => {
  const { client, plain } = await checked(schema);
  await plain.respond("order.created", () => "anything").ready;
  expect(await failure(client.request("order.created", { total: "1" }))).toMatchObject({ name: "ValidationError", code: "ERR_SCHEMA" });
  expect((await client.request("order.created", { total: 1 })).payload).toBe("anything");
});

test("a type that the schema does not have is not checked", async () => {
  const { client, next } = await checked(schema);
  await client.publish("metric.recorded", { cpu: 75 });
  await client.publish("toString", { inherited: false });
  expect([await next(), await next()]).toEqual([{ cpu: 75 }, { inherited: false }]);
});

test("a responder's schema checks the request and hands on what it makes of it", async () => {
  const { client, plain } = await checked({});
  await plain.respond("user.get", { schema: z.object({ id: z.coerce.number() }) }, (request) => request.payload).ready;
  expect((await client.request("user.get", { id: "7" })).payload).toEqual({ id: 7 });
  expect(await failure(client.request("user.get", { id: "x" }))).toMatchObject({ name: "RemoteError", code: "ERR_SCHEMA", message: expect.stringContaining("payload.id") });
});

test("the map of schemas cannot be changed behind a client's back", () => {
  const source = { note: z.string() };
  const defined = defineEvents(source);
  expect(Object.isFrozen(defined)).toBe(true);
  expect(Object.isFrozen(source)).toBe(false);
  expect(defined).not.toBe(source);
});

test("middlewares let types through", () => {
  compiles((client) => [
    client.on("user.created", client.errorHandler({ maxRetries: 1 })((event) => expectTypeOf(event).toEqualTypeOf<UserCreated>())),
    client.on(["user.*"], client.circuitBreaker()(client.errorHandler()(async (event, { attempt }) => {
      if (event.type === "user.created") expectTypeOf(event.payload).toEqualTypeOf<Created>();
      expectTypeOf(attempt).toEqualTypeOf<number>();
    }))),
    client.respond("user.created", client.errorHandler()((request) => request.payload.name)),
  ]);
});
