import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Stage } from "./stage.ts";

// What the code panel shows is compiled and run, as it is on the page, each as a process of its own.

const root = fileURLToPath(new URL("../..", import.meta.url));
const stage = new Stage();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(root, "test/playground/run-"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: "../../../tsconfig.json", include: ["*.ts"] }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program of a panel, in a file. */
async function programOf(panel: string): Promise<string> {
  await stage.page.locator("#panel-code").getByRole("radio", { name: panel, exact: true }).check();
  const text = await stage.page.getByLabel("The program", { exact: true }).textContent();
  const file = join(folder, `${panel.toLowerCase().replace(" ", "-")}.ts`);
  writeFileSync(file, text!.replace('"@gadugi/event-router"', '"../../../src/index.ts"'));
  return file;
}

/** Until it has said all this; then it is stopped, as with Ctrl-C. */
async function runUntil(file: string, says: readonly RegExp[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(process.execPath, [file], { env: { ...process.env, ...env } });
  try {
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => { said += chunk.toString(); });
    child.stderr.on("data", (chunk: Buffer) => { said += chunk.toString(); });
    for (const pattern of says) await expect.poll(() => said).toMatch(pattern);
  } finally {
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
}

/** Whole. */
async function run(file: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);
  expect(stderr).toBe("");
  return stdout;
}

test("the code panel's programs compile, and do what their panels do", async () => {
  await stage.open();
  await stage.follow("order.*", '{"payload.total": {"$gt": 50}}');
  const { page } = stage;
  await page.getByRole("link", { name: "Live as code" }).click();
  const panels = await page.locator("#panel-code fieldset label").allTextContents();
  expect(panels).toEqual(["Live", "Subscriptions", "Dead letters", "Streams", "Sagas", "Requests", "Charts", "Scenario"]);
  const files: Record<string, string> = {};
  for (const panel of panels) files[panel] = await programOf(panel);
  await promisify(execFile)(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder]).catch((error: { stdout: string }) => expect(error.stdout).toBe(""));

  await runUntil(files.Live!, [/^published 1\n/, /1 order\.placed \{ orderId: 456, total: 99\.99, currency: 'CAD' \}/]);
  expect(await run(files.Subscriptions!)).toMatch(/2 connections.*\n[^]*order\.\* \{ reader: 'playground', kind: 'live', lag: 0/);
  expect(await run(files["Dead letters"]!)).toMatch(/^fragile\.task the warehouse does not answer 1\n1 retried\n$/);
  expect(await run(files.Streams!)).toBe("0 order.noted { note: 'from a program' }\n");
  expect(await run(files.Streams!)).toMatch(/\n1 order\.noted/);
  expect(await run(files.Sagas!)).toMatch(/^\S+ completed\n\S+ compensated\n$/);
  expect(await run(files.Requests!)).toBe("{ result: 30 }\n");
  await runUntil(files.Charts!, [/ms there and back/, /\d events in this second/]);
  await runUntil(files.Scenario!, [/order\.placed \{ orderId: 1, total: 1 \}/, /orderId: 3/]);
});

test("the code panel says how the page is connected: its namespace, and that it encrypts, without the key", async () => {
  await stage.open();
  const { page } = stage;
  await page.getByLabel("Namespace").fill("secret");
  await page.getByRole("button", { name: "Switch" }).click();
  await page.getByRole("link", { name: "Scenario", exact: true }).click();
  await page.getByLabel("Encrypt what is published").check();
  const key = await page.getByLabel("Key (32 bytes, base64)").inputValue();
  await page.getByRole("link", { name: "Code", exact: true }).click();
  const file = await programOf("Live");
  const shown = await page.getByLabel("The program", { exact: true }).textContent();
  expect(shown).toContain('namespace: "secret", encryption: { key: process.env.EVENT_KEY! }');
  expect(shown).not.toContain(key);
  await runUntil(file, [/order\.placed \{ orderId: 456/], { EVENT_KEY: key });
  // The page, which has the key, reads it; the log does not.
  await page.getByRole("link", { name: "Live", exact: true }).click();
  await stage.row("order.placed").locator(".payload", { hasText: '"orderId":456' }).waitFor();
  const log = JSON.stringify(await (await stage.server.store.open("secret")).read(0, { events: 10, size: 1e6 }));
  expect(log).toContain("order.placed");
  expect(log).not.toContain("orderId");
});
