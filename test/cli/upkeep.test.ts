import { afterAll, beforeAll, expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { cli } from "./cli.ts";

// Each command is a process, and a busy machine starts them slowly.

let server: RunningServer;
let names = 0;
/** Each test has a log of its own. */
const fresh = (): string => `test-${++names}`;
const at = (namespace: string): string[] => ["--url", server.url, "--namespace", namespace];
const connect = (namespace: string, name: string): EventRouterClient => new EventRouterClient({ url: server.url.replace(/^http/, "ws"), namespace, name });

beforeAll(async () => {
  server = await serve({ port: 0 });
});
afterAll(async () => {
  await server.close();
});

test("purge says what it would remove, and removes it with --confirm", async () => {
  const space = fresh();
  await using client = connect(space, "publisher");
  await client.publishBatch(Array.from({ length: 10 }, () => ["a.b", null] as const));
  expect(await cli(["purge", "--up-to", "4", ...at(space)])).toEqual({ code: 0, signal: null, err: "", out: "Would remove 4 events, up to seq 4; give --confirm to remove them\n" });
  expect(await cli(["purge", "--older-than", "30d", "--confirm", ...at(space)])).toMatchObject({ code: 0, out: "Nothing to remove\n" });
  expect(await cli(["purge", "--up-to", "4", "--confirm", ...at(space)])).toMatchObject({ code: 0, out: "Removed 4 events, up to seq 4\n" });
  expect(JSON.parse((await cli(["purge", "--before", new Date(Date.now() + 3_600_000).toISOString(), "--json", ...at(space)])).out)).toEqual({ events: 6, up_to: 10, dry_run: true });
  expect(((await client.call("stats")) as { first: number }).first).toBe(5);
});

test("dead letters are listed, shown, retried and discarded", async () => {
  const space = fresh();
  await using client = connect(space, "worker");
  client.onError(() => {});
  let broken = true;
  const handled: unknown[] = [];
  await client.subscribe({
    topics: ["job.*"], durable: "workers", retry: { maxRetries: 0 }, deadLetter: true,
    handler: ({ payload }) => {
      if (broken) throw new RangeError(`cannot do ${String(payload)}\u001b[2J`);
      handled.push(payload);
    },
  });
  const [first] = await client.publishBatch([["job.a", 1], ["job.b", 2], ["job.c", 3]]);
  const total = async (): Promise<number> => ((await client.call("dead.list")) as { total: number }).total;
  await expect.poll(total).toBe(3);
  const list = await cli(["dlq", "list", ...at(space)]);
  expect(list).toMatchObject({ code: 0, err: "event-router: 3 dead letters\n" });
  expect(list.out.split("\n").slice(0, 2)).toEqual([expect.stringMatching(/^FAILED AT +ID +TYPE +SUBSCRIPTION +TRIES +ERROR$/), expect.stringMatching(/^20\S+Z +dead_\w+ +job\.a +durable:workers +1 +RangeError: cannot do 1\\u001b\[2J$/)]);
  const letters = (await cli(["dlq", "list", "--json", ...at(space)])).out.trim().split("\n").map((line) => JSON.parse(line) as { id: string; dead_letter_id: string });
  expect(letters).toMatchObject([{ id: first!.id, type: "job.a", payload: 1, subscription: "durable:workers", attempts: 1, last_error: "cannot do 1\u001b[2J", error_name: "RangeError", retrying: false }, {}, {}]);
  const shown = await cli(["dlq", "show", first!.id, "evt_none", ...at(space)]);
  expect(shown).toMatchObject({ code: 1, out: expect.stringContaining(`\ndead_letter_id: ${letters[0]!.dead_letter_id}\n`), err: 'event-router: there is no dead letter "evt_none"\n' });
  expect(await cli(["dlq", "discard", letters[2]!.dead_letter_id, "--confirm", ...at(space)])).toMatchObject({ code: 0, out: "Discarded 1 dead letter\n" });
  broken = false;
  expect(await cli(["dlq", "retry", first!.id, ...at(space)])).toMatchObject({ code: 0, out: "Retrying 1 dead letter\n" });
  await expect.poll(() => handled).toEqual([1]);
  expect(await cli(["dlq", "retry", "--all", ...at(space)])).toMatchObject({ code: 0, out: expect.stringMatching(/^Retrying [12] dead letters?\n$/) });
  await expect.poll(() => handled).toEqual([1, 2]);
  await expect.poll(total).toBe(0);
  expect(await cli(["dlq", "list", ...at(space)])).toEqual({ code: 0, signal: null, out: "", err: "event-router: there are no dead letters\n" });
});

test("subscriptions tell who reads what and how far behind it is, also where nobody reads now", async () => {
  const space = fresh();
  expect(await cli(["subscriptions", ...at(space)])).toMatchObject({ code: 0, out: "", err: "event-router: nobody subscribes\n" });
  await using reader = connect(space, "dashboard");
  await reader.subscribe(["order.*", "payment.**"]);
  await using member = connect(space, "mailer");
  await member.subscribe("mail.*", { group: "mailers" }, () => {});
  const away = connect(space, "away");
  await away.subscribe("a.*", { durable: "nightly" }, () => {});
  await away.close();
  await reader.publishBatch([["a.b", 1], ["a.b", 2]]);
  const { out } = await cli(["subscriptions", ...at(space)]);
  const lines = out.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
  expect(lines[0]).toEqual(["LAG", "IN FLIGHT", "WHO", "AS", "ID", "TOPICS"]);
  expect(lines.slice(1).map(([lag, , who, ...rest]) => [lag, who, rest.at(-1)])).toEqual(expect.arrayContaining([["0", "dashboard", "order.* payment.**"], ["0", "mailer", "mail.*"], ["2", "nobody now", "a.*"]]));
  expect(JSON.parse((await cli(["subscriptions", "--json", ...at(space)])).out)).toEqual(expect.arrayContaining([expect.objectContaining({ durable: "nightly", lag: 2, topics: ["a.*"] })]));
});
