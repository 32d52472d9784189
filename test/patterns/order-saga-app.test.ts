import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("[P5] the example of an application: server, two processes, one killed; each order is shipped, or all of it taken back, once", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL("../../demo/order-saga/main.ts", import.meta.url)), "30"], { encoding: "utf8", timeout: 60_000 });
  expect([status, stdout.split("; in ")[0]], stderr).toEqual([0, "30 orders, one of two processes killed: 10 completed, 20 compensated, 0 otherwise\nshipped 10, refunded 10, released 20, cancelled 20"]);
});
