import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Backlog } from "../../demo/backlog.ts";
import { RowLayout, type Taller } from "../../demo/row-layout.ts";

test("each row begins where the one above ends, and each place is in the row that is there", () => {
  const rows = fc.integer({ min: 1, max: 40 });
  fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), rows, fc.uniqueArray(fc.tuple(fc.integer({ min: -2, max: 45 }), fc.integer({ min: 0, max: 300 })), { selector: ([row]) => row, maxLength: 5 }), fc.nat(), (height, count, taller: Taller[], anywhere) => {
    const layout = new RowLayout(height, count, taller);
    const heights = Array.from({ length: count }, (_, row) => height + (taller.find(([place]) => place === row)?.[1] ?? 0));
    let top = 0;
    for (const [row, tall] of heights.entries()) {
      expect(layout.top(row)).toBe(top);
      expect([layout.at(top), layout.at(top + tall - 1)]).toEqual([row, row]);
      top += tall;
    }
    expect(layout.total).toBe(top);
    expect([layout.at(-1 - anywhere), layout.at(top + anywhere)]).toEqual([0, count - 1]);
  }));
});

test("a backlog keeps the newest, by number and by size, and finds each by its key", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 9, max: 60 }), (sizes, most, largest) => {
    const backlog = new Backlog<number>(most, largest);
    let wanted: { key: number; item: number; size: number }[] = [];
    for (const [i, size] of sizes.entries()) {
      const entry = { key: i * 3, item: i, size };
      backlog.push(entry);
      wanted.unshift(entry);
      while (wanted.length > most || wanted.reduce((sum, one) => sum + one.size, 0) > largest) wanted = wanted.slice(0, -1);
    }
    expect(Array.from({ length: backlog.length }, (_, row) => backlog.at(row))).toEqual(wanted);
    for (let key = -1; key <= sizes.length * 3; key++) expect(backlog.rowOf(key)).toBe(wanted.findIndex((entry) => entry.key === key));
  }));
});

test("a backlog forgets what it has dropped, however much has gone through, and takes older ones in front", () => {
  const backlog = new Backlog<number>(10, 1_000);
  for (let key = 0; key < 20_000; key++) backlog.push({ key, item: key, size: 1 });
  expect([backlog.length, backlog.at(0)?.key, backlog.at(9)?.key, backlog.at(10)]).toEqual([10, 19_999, 19_990, undefined]);
  const found = new Backlog<number>(4, 1_000);
  found.push({ key: 9, item: 9, size: 1 });
  found.unshift([{ key: 1, item: 1, size: 1 }, { key: 5, item: 5, size: 1 }]);
  expect([0, 1, 2].map((row) => found.at(row)?.key)).toEqual([9, 5, 1]);
});
