import { expect, test } from "vitest";
import { ALL } from "../../src/core/peers.ts";
import type { Delivered, Parcel } from "../../src/hosts/relays/between.ts";
import { Courier } from "../../src/hosts/relays/courier.ts";
import type { Passage } from "../../src/stores/log-home.ts";

const passage = (after: number, ...lines: string[]): Passage => ({ epoch: "e", head: after + lines.length, first: 1, extent: { events: 1, size: 1 }, after, lines });

/** A courier whose parcels wait until the test says what becomes of them. */
function scene() {
  const parcels: Parcel[] = [];
  const ends: PromiseWithResolvers<Delivered>[] = [];
  const pauses: { readonly ms: number; over(): void }[] = [];
  const gone: string[] = [];
  const errors: unknown[] = [];
  const courier = new Courier({
    life: "me",
    carry(parcel) {
      parcels.push(parcel);
      const end = Promise.withResolvers<Delivered>();
      ends.push(end);
      return end.promise;
    },
    reaches: () => "other",
    gone: (life) => gone.push(life),
    after: (ms, over) => pauses.push({ ms, over }),
    onError: (error) => errors.push(error),
  });
  const settle = () => new Promise<void>((resolve) => { setImmediate(resolve); });
  return {
    courier, parcels, pauses, gone, errors,
    async delivered(gone_: readonly string[] = []) { ends.at(-1)!.resolve({ gone: gone_, stays: true }); await settle(); },
    async fails() { ends.at(-1)!.reject(new Error("cut")); await settle(); },
  };
}

test("what comes while a parcel is on its way waits, and goes in one, in order", async () => {
  const { courier, parcels, delivered, gone } = scene();
  courier.say({ from: "me", to: "other", text: "1" });
  courier.tell(passage(0, "a"));
  courier.flush();
  for (const text of ["2", "3"]) courier.say({ from: "me", to: "other", text });
  courier.tell(passage(1, "b"));
  courier.tell(passage(2, "c", "d"));
  courier.flush();
  expect(parcels).toHaveLength(1);
  await delivered(["third"]);
  expect(parcels.map(({ life, messages, passage: told }) => [life, messages.map(({ text }) => text), told?.after, told?.lines, told?.head])).toEqual([["me", ["1"], 0, ["a"], 1], ["me", ["2", "3"], 1, ["b", "c", "d"], 4]]);
  expect(gone).toEqual(["third"]);
  await delivered();
  courier.flush();
  expect(parcels).toHaveLength(2);
});

test("[P2] a parcel that failed: whoever was spoken to is taken for gone, and where the log stands is told again after a pause that doubles", async () => {
  const { courier, parcels, pauses, gone, errors, fails, delivered } = scene();
  courier.say({ from: "me", to: ALL, text: "1" });
  courier.say({ from: "me", to: "third", text: "2" });
  courier.tell(passage(0, "a"));
  courier.flush();
  await fails();
  expect([gone, errors.length, pauses.map(({ ms }) => ms)]).toEqual([["other", "third"], 1, [100]]);
  // Nothing leaves before the pause is over.
  courier.flush();
  expect(parcels).toHaveLength(1);
  pauses[0]!.over();
  // Its events are read by whoever hears how far the log goes.
  expect(parcels[1]).toEqual({ life: "me", messages: [], passage: { ...passage(0, "a"), lines: [] } });
  await fails();
  expect(pauses.map(({ ms }) => ms)).toEqual([100, 200]);
  courier.tell(passage(1, "b"));
  pauses[1]!.over();
  expect(parcels[2]!.passage).toMatchObject({ after: 0, head: 2, lines: [] });
  courier.tell(passage(2, "c"));
  await delivered();
  expect(parcels[3]!.passage).toMatchObject({ after: 2, head: 3, lines: ["c"] });
});

test("[P11] more events than a parcel takes are not taken along; more messages than may wait are lost, and said to be", async () => {
  const { courier, parcels, gone, errors } = scene();
  courier.tell(passage(0, "x".repeat(1024 * 1024)));
  courier.tell(passage(1, "y"));
  for (let i = 0; i < 5; i++) courier.say({ from: "me", to: "other", text: "z".repeat(2 * 1024 * 1024) });
  expect([gone, errors.length]).toEqual([["other"], 1]);
  courier.flush();
  expect(parcels[0]).toMatchObject({ messages: [], passage: { after: 0, head: 2, lines: [] } });
});
