import { expect, test } from "vitest";
import type { Log } from "../../src/core/store.ts";
import { Cluster } from "../support/cluster.ts";
import { line } from "../support/raw-client.ts";
import { numbered, range } from "../support/world.ts";

/** Changes the log as each router has it open. */
async function through(cluster: Cluster, change: (log: Log, index: number) => Partial<Log>): Promise<void> {
  const hub = await cluster.hub();
  const join = hub.join.bind(hub);
  let routers = 0;
  hub.join = (self) => {
    const log = join(self);
    return Object.assign(Object.create(log) as typeof log, change(log, routers++));
  };
}

test("[I10] whatever a leader notes, trims and records carries the token of its lead", async () => {
  const cluster = new Cluster({ retention: { maxEvents: 10 } });
  const tokens: Record<string, (number | undefined)[]> = { notes: [], trims: [], records: [] };
  await through(cluster, (log) => ({
    writeBookmarks: (entries, lead) => {
      tokens.notes!.push(lead);
      return log.writeBookmarks(entries, lead);
    },
    trim: (seq, lead) => {
      tokens.trims!.push(lead);
      return log.trim(seq, lead);
    },
    append: (batches) => {
      for (const { publisher, lead } of batches) if (publisher === "$router") tokens.records!.push(lead);
      return log.append(batches);
    },
  }));
  const [leader] = [await cluster.start(), await cluster.start()];
  const client = await cluster.client(leader);
  client.subscribe(1, { topics: ["t"], durable: "d", from: "start" });
  client.subscribe(2, { topics: ["t"], group: "g", from: "start" });
  await cluster.settle();
  client.publish([line("later", "t")], { as: "later", in: 100 });
  client.publish(numbered(1, 30));
  for (let i = 0; i < 5; i++) {
    await cluster.pass(500);
    client.ackAll();
  }
  expect(Object.values(tokens).map((seen) => seen.length > 0)).toEqual([true, true, true]);
  expect(Object.values(tokens).flat().filter((token) => token !== 1)).toEqual([]);
});

test("[P2] who takes the lead works when it has heard of all that was written before, and not earlier", async () => {
  const cluster = new Cluster();
  const reports: (() => void)[] = [];
  let late = false;
  await through(cluster, (log, index) => (index !== 1 ? {} : {
    watch: (listener) => log.watch((events) => {
      if (late) reports.push(() => listener(events));
      else listener(events);
    }),
  }));
  const [first, second] = [await cluster.start(), await cluster.start()];
  const reader = await cluster.client(first);
  reader.subscribe(1, { topics: ["t"], durable: "d", from: "start" });
  await cluster.settle();
  late = true;
  (await cluster.client(first)).publish(numbered(1, 9));
  await cluster.settle();
  reader.ackAll();
  await cluster.pass(200);
  expect(JSON.parse((await (await cluster.hub()).log.readBookmark("durable:d"))!)).toMatchObject({ seq: 9 });
  await cluster.kill(first);
  await cluster.pass(7_000);
  expect(await cluster.leader()).toBe(second);
  const again = await cluster.client(second);
  again.subscribe(1, { topics: ["t"], durable: "d" });
  await cluster.pass(1_000);
  expect(again.named("on")).toEqual([]);
  late = false;
  for (const report of reports) report();
  await cluster.pass(1_000);
  (await cluster.client(second)).publish(numbered(10, 12));
  await cluster.settle();
  expect(again.seqsOf(1)).toEqual(range(10, 12));
});
