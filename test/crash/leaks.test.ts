import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import type { Left } from "./leak-process.ts";

const LIVES = Math.ceil(Number(process.env.CYCLES ?? 10) / 2) + 15;

const folder = mkdtempSync(join(tmpdir(), "event-router-leaks-"));
afterAll(() => rmSync(folder, { recursive: true }));

test(`[I13] [I14] a server and its clients are closed ${LIVES} times in one process: no timer, socket, file or listener is left, memory stays, and the process ends by itself`, async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--expose-gc", join(import.meta.dirname, "leak-process.ts"), String(LIVES), folder]);
  const all = JSON.parse(stdout) as Left[];
  expect(stderr).toBe("");
  expect(all).toHaveLength(LIVES);
  for (const { resources, listeners } of all) expect({ resources, signal: listeners.signal, process: listeners.process }).toEqual({ resources: [], signal: 0, process: all[0]!.listeners.process });
  // What the engine learns of the code takes some: 1.3 MB were seen from here to the 60th.
  expect(all.at(-1)!.heap - all[10]!.heap).toBeLessThan(2 * 1024 * 1024);
});
