import { expect, test } from "vitest";
import type { Connection } from "../../src/client/connection.ts";
import { batchOf, entriesOf, type Entry } from "../../src/client/offline/entry.ts";
import { Flusher } from "../../src/client/offline/flusher.ts";
import { sendAgain } from "../../src/client/offline/send-again.ts";
import type { Outbox, Publication } from "../../src/client/outbox.ts";
import type { Receipt } from "../../src/client/receipt.ts";
import { AuthenticationError, PermissionError, PublishError, type EventRouterError } from "../../src/core/errors.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { FakeSurroundings } from "../support/fake-surroundings.ts";
import { line } from "../support/raw-client.ts";
import { settle, TestClock } from "../support/test-clock.ts";

const publication = (ids: readonly string[], more: Partial<Publication> = {}): Publication => ({
  events: ids.map((id) => ({ id, type: "t", line: line(id, "t"), own: false, text: { head: "", payload: "", tail: "" } })),
  as: ids.length > 1 ? "all" : "each", terms: {}, run: false, deadline: Infinity, resolve: () => {}, reject: () => {}, release: undefined, last: false, sent: false, settled: false, ...more,
});

/** An outbox's log with what waits in it, and a connection on which the test answers. */
async function scene(...waiting: readonly (readonly string[])[]) {
  const clock = new TestClock();
  const log = await memoryStore({ randomBytes: new FakeSurroundings().randomBytes }).open("outbox");
  await log.append(waiting.map((ids) => batchOf(publication(ids), clock.now())));
  const connection = { clock, welcome: {} as object | undefined };
  const sent: Publication[] = [];
  const buried: { readonly code: string; kept(): void }[] = [];
  const reported: EventRouterError[] = [];
  const flusher = new Flusher({
    log: () => log, connection: connection as unknown as Connection, order: "published", window: 1_024,
    direct: { add: (one: Publication) => void sent.push(one), abandon: () => {} } as unknown as Outbox,
    skipped: () => false, stored: () => {},
    refused: (_entry, { code }) => new Promise((resolve) => { buried.push({ code, kept: resolve }); }),
    report: (error) => reported.push(error as EventRouterError),
  });
  flusher.start();
  await settle();
  const idsOf = (one: Publication): string[] => one.events.map(({ id }) => id);
  return { clock, log, connection, sent, buried, reported, idsOf, has: (n: number) => { sent[n]!.resolve!([] as Receipt[]); return settle(); }, refuses: (n: number, error: EventRouterError) => { sent[n]!.reject(error); return settle(); } };
}

test("[P1] an outbox keeps what the router has not answered yet, and what is behind it: who begins anew sends from there", async () => {
  const { log, has } = await scene(["a"], ["b"], ["c"]);
  await has(0);
  expect(log.first).toBe(2);
  await has(2);
  expect(log.first).toBe(2);
  await has(1);
  expect(log.first).toBe(4);
});

test("[P6] what the router refuses leaves the outbox when its dead letter is kept, and not before", async () => {
  const { log, buried, refuses, has } = await scene(["bad"], ["b"]);
  await refuses(0, new PermissionError("ERR_PERMISSION", "no"));
  await has(1);
  expect([buried.map(({ code }) => code), log.first]).toEqual([["ERR_PERMISSION"], 1]);
  buried[0]!.kept();
  await settle();
  expect(log.first).toBe(3);
});

test("[P1] a refusal that comes with the end of the connection is no word on the event, and a credential that is good no more is none either", async () => {
  const { clock, log, connection, sent, buried, reported, idsOf, refuses } = await scene(["a"], ["b"]);
  connection.welcome = undefined;
  await refuses(0, new PermissionError("ERR_NAMESPACE", "this credential is not for this namespace"));
  connection.welcome = {};
  await refuses(1, new AuthenticationError("ERR_EXPIRED", "the token has expired"));
  expect([buried, log.first, reported.map(({ code }) => code)]).toEqual([[], 1, ["ERR_EXPIRED"]]);
  await clock.advance(1_000);
  expect(sent.slice(2).map(idsOf)).toEqual([["a"], ["b"]]);
});

test("[P5] a transaction that lies across two pages of the outbox is sent whole", async () => {
  const numbered = (from: number): string[] => Array.from({ length: 400 }, (_, i) => `e${from + i}`);
  const { sent, idsOf } = await scene(numbered(0), numbered(400));
  expect(sent.map(idsOf)).toEqual([numbered(0), numbered(400)]);
});

test("a delay counts from the publish, however long the event waits here", async () => {
  const { clock, log } = await scene();
  const published = clock.now();
  await log.append([batchOf(publication(["a"], { as: "later", terms: { in: 60_000 } }), published)]);
  await clock.advance(3_600_000);
  const [{ mode }] = entriesOf(await log.read(0, { events: 1, size: Infinity })) as [Entry];
  expect(mode).toEqual({ as: "later", at: published + 60_000 });
});

test("[P6] a dead letter that is sent again is kept until the router has it", async () => {
  const { log } = await scene(["a"]);
  const [entry] = entriesOf(await log.read(0, { events: 1, size: Infinity })) as [Entry];
  const done: string[] = [];
  const dead = { forget: async () => void done.push("forgotten"), bury: async () => void done.push("buried") } as never;
  const letter = { entry, error: new PermissionError("ERR_PERMISSION", "no") };
  await expect(sendAgain([letter], { dead, connected: () => false, send: async () => { throw new PublishError("ERR_CONNECTION_LOST", "cut", { retryable: true }); } })).rejects.toMatchObject({ code: "ERR_CONNECTION_LOST" });
  expect(done).toEqual([]);
  await sendAgain([letter], { dead, connected: () => true, send: async () => { done.push("sent"); return []; } });
  expect(done).toEqual(["sent", "forgotten"]);
});
