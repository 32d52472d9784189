import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { serve } from "../../src/hosts/server.ts";

const python = spawnSync("python3", ["--version"]).status === 0;

if (python) test("a client that was written after docs/protocol.md alone, in Python: publishes, subscribes, resumes after a cut, asks, answers, and works off a job", async () => {
  await using server = await serve({ port: 0 });
  await using client = server.client();
  await client.respond("greet", ({ payload }) => `hello, ${String(payload)}`).ready;
  const child = spawn("python3", [fileURLToPath(new URL("client.py", import.meta.url)), String(server.port)], { stdio: ["ignore", "pipe", "pipe"] });
  let wrong = "";
  child.stderr.on("data", (chunk: Buffer) => { wrong += chunk.toString(); });
  const ended = once(child, "close");
  let saw: unknown;
  for await (const line of createInterface({ input: child.stdout })) {
    saw = JSON.parse(line);
    expect((await client.request("python.add", { x: 10, y: 20 }, { timeout: "60s" })).payload).toBe(30);
  }
  expect([(await ended)[0], wrong]).toEqual([0, ""]);
  expect(saw).toEqual({
    "welcome": { v: 1, head: 0, durability: "memory" },
    "on": [true, 0],
    "published": [1, 2],
    "again": [[1]],
    "event": true,
    "after the cut": [2, { total: 300 }],
    "asked": ["ok", 90, "hello, Ada"],
    "job": [3, 1, 2, { file: "a.png" }],
    "refused": ["end", 4, ["ValidationError", expect.any(String)]],
    "wrong pattern": ["end", 5, "ERR_PATTERN"],
  });
});
