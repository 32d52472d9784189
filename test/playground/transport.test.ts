import { expect, test } from "vitest";
import { Stage } from "./stage.ts";

const stage = new Stage();
const outbox = (text: string) => stage.expectText("#outbox", new RegExp(`^${text}$`));

test("a cut network: what is published waits, and leaves when it is back", async () => {
  await stage.open();
  await stage.page.getByLabel("Offline").check();
  await stage.state("Reconnecting");
  await stage.publishForm();
  await outbox("1 waiting");
  await stage.page.getByLabel("Offline").uncheck();
  await stage.state("Connected");
  await outbox("0 waiting");
  await stage.row("order.placed").waitFor();
  await expect.poll(async () => (await stage.server.store.open("default")).head).toBe(1);
});

test("by a SharedWorker, and with a router in the page; the address keeps which", async () => {
  await stage.open();
  await stage.page.getByLabel("Shared").check();
  await stage.state("Connected");
  await stage.publishForm();
  await stage.row("order.placed").waitFor();
  expect(stage.page.url()).toContain("transport=shared-worker");
  await expect.poll(async () => (await stage.server.store.open("default")).head).toBe(1);
  await stage.page.reload();
  await stage.state("Connected");
  expect(await stage.page.getByLabel("Shared").isChecked()).toBe(true);
  await stage.page.getByLabel("In page").check();
  await stage.state("Connected");
  await outbox("no outbox");
  await stage.publishForm();
  await stage.row("order.placed").waitFor();
  expect((await stage.server.store.open("default")).head).toBe(1);
});
