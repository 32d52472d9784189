import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** The layers of the house: what a folder may import of ours, and which packages. Lower never imports higher, siblings never import each other. */
const rules: readonly { readonly at: RegExp; readonly layer: number; readonly unit: string; readonly packages: readonly RegExp[] }[] = [
  { at: /^src\/core\//, layer: 0, unit: "core", packages: [] },
  { at: /^src\/stores\//, layer: 1, unit: "stores", packages: [/^idb$/, /^redis$/, /^node:sqlite$/] },
  { at: /^src\/links\//, layer: 1, unit: "links", packages: [/^partysocket\/ws$/, /^ws$/] },
  { at: /^src\/auth\//, layer: 1, unit: "auth", packages: [/^jose$/, /^@noble\/ciphers/] },
  { at: /^src\/client\//, layer: 1, unit: "client", packages: [/^@noble\/ciphers/] },
  { at: /^src\/patterns\//, layer: 2, unit: "patterns", packages: [] },
  { at: /^src\/tabs\//, layer: 2, unit: "tabs", packages: [] },
  { at: /^src\/http\//, layer: 2, unit: "http", packages: [/^hono(\/|$)/, /^zod$/] },
  { at: /^src\/react\.ts$/, layer: 3, unit: "entry", packages: [/^react$/] },
  { at: /^src\/[^/]+\.ts$/, layer: 3, unit: "entry", packages: [] },
  { at: /^src\/hosts\//, layer: 4, unit: "hosts", packages: [/^ws$/, /^@hono\/node-server/, /^hono(\/|$)/, /^zod$/, /^node:/, /^cloudflare:/] },
  { at: /^src\/cli\//, layer: 5, unit: "cli", packages: [/^node:/, /^zod$/] },
];

const files = globSync("src/**/*.ts").map((file) => normalize(file)).sort();
const ruleOf = (file: string) => rules.find(({ at }) => at.test(file));

/** All modules a file names: static, dynamic and type imports, and re-exports. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...source.matchAll(/(?:^(?:import|export)\b[^;"']*?\bfrom\s*|\bimport\s*\(\s*|^import\s+)["']([^"']+)["']/gm)].map((match) => match[1]!);
}

const local = (file: string, name: string) => normalize(join(dirname(file), name));

test("each file belongs to a layer", () => {
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => ruleOf(file) === undefined)).toEqual([]);
});

test("lower layers import nothing higher, siblings nothing of each other, each only its packages", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const from = ruleOf(file)!;
    for (const name of importsOf(file)) {
      if (!name.startsWith(".")) {
        if (!from.packages.some((allowed) => allowed.test(name))) wrong.push(`${file}: package ${name}`);
        continue;
      }
      const target = local(file, name);
      const to = ruleOf(target);
      // The parts above use the public entries, not the rooms behind them.
      const allowed = to !== undefined && (to.unit === from.unit || to.layer < from.layer);
      if (!allowed) wrong.push(`${file}: ${target}`);
      if (from.unit === "entry" && to?.unit === "http") wrong.push(`${file}: ${target} (the entry is for browsers)`);
      if (from.unit === "cli" && to?.unit !== "cli" && !/^src\/(index|router|hosts\/server|stores\/\w+)\.ts$/.test(target)) wrong.push(`${file}: ${target} (public entries only)`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no file imports itself over a detour", () => {
  const graph = new Map(files.map((file) => [file, importsOf(file).filter((name) => name.startsWith(".")).map((name) => local(file, name))]));
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return void circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  expect(circles).toEqual([]);
});
