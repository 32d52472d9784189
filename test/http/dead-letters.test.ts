import { expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve } from "../../src/hosts/server.ts";

test("[P6] dead letters by REST: listed by page and subscription, retried by event, given up", async () => {
  await using server = await serve({ port: 0 });
  await using client = new EventRouterClient({ url: server.url, name: "worker" });
  client.onError(() => {});
  let broken = true;
  const handled: string[] = [];
  const work = (where: string) => ({ payload }: { payload: unknown }): void => {
    if (broken) throw new Error(`no ${String(payload)}`);
    handled.push(`${where} ${String(payload)}`);
  };
  await client.subscribe({ topics: ["job.*"], durable: "one", retry: { maxRetries: 0 }, deadLetter: true, handler: work("one") });
  await client.subscribe({ topics: ["job.*"], durable: "two", retry: { maxRetries: 0 }, deadLetter: true, handler: work("two") });
  const [first] = await client.publishBatch([["job.a", 1], ["job.a", 2]]);
  const ask = async (path: string, body?: unknown): Promise<[number, Record<string, never>]> => {
    const response = await fetch(`${server.url}/api/v1/${path}`, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return [response.status, await response.json() as Record<string, never>];
  };
  await expect.poll(async () => (await ask("dead-letters"))[1].total).toBe(4);
  const [, page] = await ask("dead-letters?subscription=durable:one&limit=1");
  expect(page).toMatchObject({ total: 2, dead_letters: [{ id: first!.id, payload: 1, seq: 1, subscription: "durable:one", attempts: 1, last_error: "no 1", retrying: false, dead_letter_id: expect.stringMatching(/^dead_/) }] });
  expect((await ask(`dead-letters?subscription=durable:one&cursor=${String(page.next_cursor)}`))[1]).toMatchObject({ dead_letters: [{ payload: 2 }], next_cursor: null });
  broken = false;
  expect((await ask("dead-letters/retry", { event_ids: [first!.id] }))[1]).toMatchObject({ retrying: [expect.any(String), expect.any(String)], failed: [] });
  await expect.poll(() => handled.toSorted()).toEqual(["one 1", "two 1"]);
  await expect.poll(async () => (await ask("dead-letters"))[1].total).toBe(2);
  expect((await ask("dead-letters/discard", { all: true, subscription: "durable:two" }))[1]).toMatchObject({ discarded: [expect.any(String)] });
  await expect.poll(async () => (await ask("dead-letters"))[1].dead_letters).toMatchObject([{ subscription: "durable:one", payload: 2 }]);
  expect(await ask("dead-letters/retry", { dead_letter_ids: ["dead_none"] })).toMatchObject([200, { retrying: [], failed: [{ dead_letter_id: "dead_none", problem: { code: expect.stringMatching(/^ERR_/) } }] }]);
  expect(await ask("dead-letters/retry", {})).toMatchObject([400, { code: "ERR_BODY" }]);
});

test("a purge by REST counts without confirm, and tells readers by a gap", async () => {
  await using server = await serve({ port: 0 });
  await using client = new EventRouterClient({ url: server.url });
  await client.publishBatch([["a", 1], ["a", 2], ["a", 3]]);
  const purge = async (body: object): Promise<unknown> => (await fetch(`${server.url}/api/v1/purge`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();
  expect(await purge({ up_to: 2 })).toEqual({ events: 2, up_to: 2, dry_run: true });
  expect(await purge({ before: "2001-01-01T00:00:00Z", confirm: true })).toEqual({ events: 0, up_to: 0, dry_run: false });
  expect(await purge({ up_to: 2, confirm: true })).toEqual({ events: 2, up_to: 2, dry_run: false });
  expect(await purge({ up_to: 2, older_than: "1d" })).toMatchObject({ status: 400, detail: expect.stringContaining("one of older_than, before and up_to") });
});
