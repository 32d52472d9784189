import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { RedisServer } from "../support/redis-server.ts";
import { collect } from "./suites.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The other runtimes; each executes `run.ts`, and its results are reported here, test by test. */
const runtimes: readonly { readonly name: string; readonly command: readonly [string, ...string[]] }[] = [
  { name: "Deno", command: ["deno", "run", "-A", "--no-lock", "--node-modules-dir=manual"] },
  { name: "Bun", command: ["bun", "run"] },
];

interface Result { readonly name: string; readonly error?: string }
interface Report { readonly results: ReadonlyMap<string, Result>; /** How it ended, for the tests that have no result. */ readonly end: string }

async function execute([program, ...parameters]: readonly [string, ...string[]]): Promise<Report> {
  await using redis = await RedisServer.start();
  return await new Promise<Report>((resolve, reject) => {
    const local = join(root, "node_modules", ".bin", program);
    const child = spawn(existsSync(local) ? local : program, [...parameters, "test/runtimes/run.ts"], { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, REDIS_OF_TESTS: redis.url } });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => { output += text; });
    child.stderr.setEncoding("utf8").on("data", (text: string) => { errors += text; });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const lines = output.split("\n").filter((line) => line.startsWith("{"));
      const results = lines.map((line) => JSON.parse(line) as Result);
      resolve({ results: new Map(results.map((result) => [result.name, result])), end: `${program} ended with ${signal ?? code}: ${errors.slice(-2_000)}` });
    });
  });
}

for (const { name, command } of runtimes) {
  describe(name, () => {
    let report: Report;
    beforeAll(async () => { report = await execute(command); });

    for (const { name: title } of collect()) {
      test(title, () => {
        const result = report.results.get(title);
        if (result === undefined) throw new Error(`it was not run; ${report.end}`);
        expect(result.error).toBeUndefined();
      });
    }
  });
}
