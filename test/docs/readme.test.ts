import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EventRouterClient } from "../../src/index.ts";

const root = new URL("../../", import.meta.url);
const text = readFileSync(new URL("README.md", root), "utf8");
const example = (heading: string): string => new RegExp(`## ${heading}[\\s\\S]*?\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(text)![1]!;

/** Runs an example of the page with what it takes for granted, and returns a variable of it. */
function run<T>(code: string, given: Readonly<Record<string, unknown>>, result: string): Promise<T> {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the page's own examples
  return (new Function(...Object.keys(given), `return (async () => { ${code}\nreturn ${result}; })()`) as (...values: unknown[]) => Promise<T>)(...Object.values(given));
}

test("the README's example of durable work runs", async () => {
  await using client = new EventRouterClient({ namespace: "readme" });
  const [resized, invoiced] = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()];
  expect(await run(example("Work that must be done"), { client, resize: resized.resolve, invoice: invoiced.resolve }, "total")).toBe(99.99);
  expect([await resized.promise, await invoiced.promise]).toEqual([{ file: "a.png" }, { total: 99.99 }]);
});

test("the README's links lead somewhere, and it is short", () => {
  const links = [...text.matchAll(/\]\((?!http)([^)#]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter((link) => !existsSync(new URL(link, root)))).toEqual([]);
  expect(text.split("\n").length).toBeLessThan(150);
});
