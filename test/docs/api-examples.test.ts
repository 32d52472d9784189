import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { compileFilter } from "../../src/core/filter.ts";
import { compileRegex } from "../../src/core/regex.ts";
import { randomBytes, serverClock as clock, serverSurroundings } from "../../src/hosts/surroundings.ts";
import { createApp } from "../../src/http/app.ts";
import { EventEnabledAgent, EventRouterClient } from "../../src/index.ts";
import { memoryStore, Router } from "../../src/router.ts";
import { RedisServer } from "../support/redis-server.ts";

// The examples of the API reference: what stands under @example in src.

const root = fileURLToPath(new URL("../..", import.meta.url));
mkdirSync(join(root, "test-results"), { recursive: true });
const folder = mkdtempSync(join(root, "test-results/api-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Reviewer extends EventEnabledAgent {}

interface Example { readonly name: string; readonly file: string; readonly text: string }

const all = (readdirSync(join(root, "src"), { recursive: true }) as string[]).filter((file) => /\.tsx?$/.test(file)).toSorted().flatMap((file) => {
  const source = readFileSync(join(root, "src", file), "utf8");
  return [...source.matchAll(/\/\*\*(?:(?!\*\/)[^])*\*\//g)].flatMap(({ 0: comment, index }) => comment.slice(0, -2).replaceAll(/^\s*\* ?/gm, "").split("@example\n").slice(1).map((text, i): Example => ({
    name: `${file}:${source.slice(0, index).split("\n").length}${i > 0 ? ` (${i + 1})` : ""}`, file, text: text.split(/^@/m)[0]!.trim(),
  })));
});

/** Where names come from: what anybody can import, else the example's own file. */
const entries = ["src/index.ts", "src/router.ts", "src/hosts/server.ts", "src/hosts/worker.ts", "src/react.ts", "src/stores/sqlite.ts", "src/stores/indexeddb.ts", "src/stores/redis.ts"];
const exported = new Map<string, string>();
for (const file of entries) for (const name of namesIn(readFileSync(join(root, file), "utf8"))) if (!exported.has(name)) exported.set(name, file);

function namesIn(source: string): string[] {
  const lists = [...source.matchAll(/^export (?!type)\{([^}]*)\}/gm)].flatMap(([, list]) => list!.split(",").map((name) => name.trim().split(" as ").at(-1)!).filter((name) => name !== "" && !name.startsWith("type ")));
  return [...lists, ...[...source.matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)].map(([, name]) => name!)];
}

/** What examples take for granted. */
const given: Readonly<Record<string, string>> = {
  client: 'import("../../src/index.ts").EventRouterClient', handler: '(event: import("../../src/index.ts").RouterEvent) => Promise<void>', ApiError: "ErrorConstructor", z: 'typeof import("zod").z',
  key: "string", old: "string", current: "string", router: 'import("../../src/router.ts").Router', clock: 'import("../../src/core/clock.ts").Clock',
  randomBytes: "(count: number) => Uint8Array<ArrayBuffer>", surroundings: 'import("../../src/core/clock.ts").Surroundings', port: 'import("../../src/core/link.ts").Port',
  socket: "WebSocket", compileRegex: 'typeof import("../../src/core/regex.ts").compileRegex', compileFilter: 'typeof import("../../src/core/filter.ts").compileFilter', createApp: 'typeof import("../../src/http/app.ts").createApp',
};

/** An example as a module, with what it needs before it. */
function moduleOf({ text }: Example, take: (name: string, type: string) => string): string {
  const code = text.replaceAll("@gadugi/event-router/worker", "../../src/hosts/worker.ts").replace(/^\{(.*)\}$/s, "void (<>$&</>);");
  const used = (name: string): boolean => new RegExp(`(?<![\\w."'@-])@?${name}\\b(?!["':])`).test(code) && !new RegExp(`(?:const|let|class|using) \\[?${name}\\b`).test(code) && !new RegExp(`export \\{ ${name} \\}`).test(code);
  const imports = [...exported].filter(([name]) => used(name)).map(([name, file]) => `import { ${name} } from "../../${file}";`);
  const taken = Object.entries(given).filter(([name]) => used(name) && !exported.has(name)).map(([name, type]) => take(name, type));
  return [...imports, ...taken, code, "export {};", ""].join("\n");
}

test("the compiler accepts every example of the API reference", async () => {
  for (const [i, example] of all.entries()) writeFileSync(join(folder, `example-${i}.tsx`), `// ${example.name}\n${moduleOf(example, (name, type) => `declare const ${name}: ${type};`)}`);
  const options = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as { compilerOptions: object };
  // Examples are short: they leave out types of parameters, and use not all that they make.
  const compilerOptions = { ...options.compilerOptions, jsx: "react-jsx", noImplicitAny: false, noUnusedLocals: false, noUnusedParameters: false, noImplicitOverride: false, erasableSyntaxOnly: false, verbatimModuleSyntax: false };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.tsx", join(root, "src/**/*.d.ts")] }));
  const said = await promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", folder], { cwd: folder }).then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout);
  // The sources are not written for these options.
  expect(said.split("\n").filter((line) => line.startsWith("example-"))).toEqual([]);
  expect(all.length).toBeGreaterThan(30);
});

/** Examples that only the compiler reads, and why. */
const onlyCompiled: readonly (readonly [file: RegExp, why: string])[] = [
  [/^react\.ts/, "hooks are called while a component is rendered"], [/^hosts\/(event-router-object|worker)\.ts/, "workerd has what they need"],
  [/^patterns\/event-handler\.ts/, "decorators are compiled first"], [/^stores\/indexeddb\.ts/, "a browser has what it needs"],
  [/^core\/router\.ts/, "the socket is whatever a host has"],
];
const run = all.filter(({ name }) => !onlyCompiled.some(([file]) => file.test(name)));

test("of each kind of example that only the compiler reads there is one", () => {
  expect(onlyCompiled.filter(([file]) => !all.some(({ name }) => file.test(name)))).toEqual([]);
});

test.each(run.map((example) => [example.name, example] as const))("the example of %s runs", async (_name, example) => {
  await using client = new EventRouterClient({ namespace: `example-${Math.random().toString(36).slice(2)}`, logger: { error() {} } });
  await using agent = new Reviewer(client, { id: "reviewer", capabilities: ["review"] });
  await agent.start();
  const redis = example.text.includes("redis://") ? await RedisServer.start() : undefined;
  onTestFinished(() => redis?.[Symbol.asyncDispose]());
  const surroundings = serverSurroundings(() => null);
  const core = new Router({ store: memoryStore({ randomBytes }), surroundings });
  const key = "A".repeat(43) + "=";
  Object.assign(globalThis, { given: { client, handler: async () => {}, ApiError: Error, z, key, old: key, current: key, router: core, clock, randomBytes, surroundings, compileRegex, compileFilter, createApp } });
  // The directory is the example's own, the ports are free ones, and a time goes by at once.
  const text = example.text.replaceAll("redis://localhost:6379", redis?.url ?? "").replaceAll("port: 8080", "port: 0").replaceAll("events.db", join(folder, "events.db")).replace('size: "1m", slide: "30s"', 'size: "100ms", slide: "50ms"') + (example.text.startsWith("const store = await") ? "\nawait store.close();" : "");
  const file = join(folder, `run-${Math.random().toString(36).slice(2)}.ts`);
  writeFileSync(file, moduleOf({ ...example, text }, (name) => `const { ${name} } = (globalThis as any).given;`));
  // Those that read without end have run when they have said what they got.
  const said = Promise.withResolvers<void>();
  const log = vi.spyOn(console, "log").mockImplementation(() => said.resolve());
  onTestFinished(() => log.mockRestore());
  const feed = setInterval(() => { for (const type of ["test.a", "sensor.a", "metrics.a"]) client.publishNowait(type, { cpu: 1 }); }, 20);
  onTestFinished(() => clearInterval(feed));
  await Promise.race([import(file), said.promise]);
});
