import { ValidationError } from "../../core/errors.ts";
import { checkFunction, checkOptions, invalidOption, wholeNumber } from "../check-options.ts";
import type { OfflineOptions } from "../client-outbox.ts";
import type { Home } from "../home.ts";
import type { Publication } from "../outbox.ts";
import type { Vault } from "../encryption/vault.ts";
import { DurableOutbox } from "./durable-outbox.ts";
import type { DurableOutboxOptions } from "./durable-outbox-options.ts";
import type { OutboxHome } from "./outbox-home.ts";

/** Where an outbox is kept. */
export type MakeOutboxHome = (options: OfflineOptions, report: (error: unknown) => void) => Promise<OutboxHome>;

/** @throws ValidationError `ERR_OPTION` naming what is wrong with `offline`. */
export async function openOutbox(offline: true | OfflineOptions, client: Home, makeHome: MakeOutboxHome | undefined, changed: DurableOutboxOptions["changed"]): Promise<DurableOutbox> {
  const { connection, settings, publisher, report } = client;
  const options = offline === true ? {} : offline;
  checkOptions(options, "store name maxEvents maxBytes order", "offline");
  const { store = "indexeddb", name = "", order = "published" } = options;
  if (typeof store === "object") checkFunction((store as { open?: unknown } | null)?.open, "offline.store.open");
  else if (store !== "indexeddb" && store !== "memory") throw invalidOption("offline.store", 'must be "indexeddb", "memory" or a store, such as await sqliteStore("outbox.db")');
  if (typeof name !== "string") throw invalidOption("offline.name", "must be a string");
  if (order !== "published" && order !== "priority") throw invalidOption("offline.order", 'must be "published" or "priority"');
  const maxEvents = wholeNumber(options.maxEvents, "offline.maxEvents", 100_000);
  const maxBytes = wholeNumber(options.maxBytes, "offline.maxBytes", 64 * 1024 * 1024);
  if (settings.poolSize > 1) throw invalidOption("poolSize", "cannot be combined with offline, which keeps the order of what is published; leave out one of both");
  if (makeHome === undefined) throw new ValidationError("ERR_OPTION", "offline needs EventRouterClient", { details: { path: "offline" } });
  return DurableOutbox.open({
    connection, direct: publisher.outbox, changed, report, home: await makeHome(options, report), order, maxEvents, maxBytes, timeout: settings.timeout,
    window: Math.min(1_024, settings.maxPending),
    seal: async (one) => {
      const sealing = await client.vault();
      if (sealing !== undefined) await sealed(sealing, one);
    },
  });
}

function sealed(vault: Vault, one: Publication): Promise<void> {
  return new Promise((resolve, reject) => {
    if (vault.seal(one, (error) => (error === undefined ? resolve() : reject(error as Error)))) resolve();
  });
}
