import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutants } from "./mutants.ts";

test.each(mutants)("the planted bug still fits the sources: $name", ({ edits, tests = [] }) => {
  for (const path of tests) expect([path, existsSync(new URL(`../../${path}`, import.meta.url))]).toEqual([path, true]);
  for (const [file, find, replace] of edits) {
    const parts = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8").split(find);
    expect([file, parts.length - 1]).toEqual([file, 1]);
    expect(replace).not.toBe(find);
  }
});

test("each planted bug has a name of its own", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});
