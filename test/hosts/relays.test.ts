import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Delivered, Followed, Parcel, Question } from "../../src/hosts/relays/between.ts";
import { OwnerLog } from "../../src/hosts/relays/owner-log.ts";
import { RelayLog } from "../../src/hosts/relays/relay-log.ts";
import { draft, singles } from "../contract/store/drafts.ts";

const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/** Owners of one namespace, one life after the other, whose parcels to relays wait until the test says what becomes of them. */
function scene() {
  const database = new DatabaseSync(":memory:");
  const parcels: { readonly parcel: Parcel; answer(delivered: Delivered): Promise<void> }[] = [];
  const begin = async () => {
    const owner = new OwnerLog({
      database, open: async () => {}, begin: () => {}, after: () => {}, onError: (error) => { throw error; },
      relay: () => ({ between: (question) => new Promise((resolve) => {
        parcels.push({ parcel: question[2] as Parcel, answer: (ok) => { resolve({ ok }); return settle(); } });
      }) }),
    });
    await owner.store.open("n");
    const append = (id: string) => owner.answer(["log", "append", [[singles(draft(id))], 0]]);
    return { owner, append, follow: (life: string) => owner.answer(["follow", 1, life]) };
  };
  return { begin, parcels, followers: () => database.prepare("SELECT relay FROM er_relays").all() };
}

test("[P2] an owner that ended before it told its relays of an event tells where the log stands when it wakes, though nothing new comes", async () => {
  const { begin, parcels } = scene();
  const first = await begin();
  await first.follow("r");
  await first.append("a");
  const { owner } = await begin();
  owner.settled();
  expect(parcels.map(({ parcel: { passage } }) => passage?.head)).toEqual([1]);
});

test("[P2] a relay to which somebody comes while the owner hears that nobody is there is told on", async () => {
  const { begin, parcels, followers } = scene();
  const { owner, append, follow } = await begin();
  await follow("r1");
  await append("a");
  owner.settled();
  await follow("r2");
  await parcels[0]!.answer({ gone: [], stays: false });
  await append("b");
  owner.settled();
  expect([followers().length, parcels.length]).toEqual([1, 2]);
  await parcels[1]!.answer({ gone: [], stays: false });
  expect(followers()).toEqual([]);
});

test("a relay hears what is for its present life and for all; of another owner it hears that the one before is gone, and of others that they are not there", async () => {
  const asked: Question[] = [];
  const relay = new RelayLog({
    relay: 1, busy: () => true, begin: () => {}, after: () => {}, onError: (error) => { throw error; },
    owner: () => ({ between: async (question) => {
      asked.push(question);
      return { ok: { owner: "o1", standing: { epoch: "e", head: 0, first: 1, extent: { events: 0, size: 0 } } } satisfies Followed };
    } }),
  });
  const { peers } = await relay.store.open("n");
  const life = asked[0]![2] as string;
  const heard: unknown[] = [];
  peers!.listen({ message: (from, text) => heard.push([from, text]), gone: (router) => heard.push(["gone", router]) });
  const messages = [life, "1_earlier", "*"].map((to) => ({ from: "o1", to, text: `for ${to}` }));
  expect(await relay.answer(["parcel", 1, { life: "o1", messages }])).toEqual({ gone: ["1_earlier"], stays: true });
  expect(heard).toEqual([["o1", `for ${life}`], ["o1", "for *"]]);
  await relay.answer(["parcel", 1, { life: "o2", messages: [] }]);
  expect(heard.slice(2)).toEqual([["gone", "o1"]]);
});
