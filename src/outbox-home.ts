import type { OfflineOptions } from "./client/client-outbox.ts";
import type { OutboxHome } from "./client/offline/outbox-home.ts";
import type { Tabs } from "./client/offline/leadership.ts";
import { ValidationError } from "./core/errors.ts";

/** Whose outbox it is, if it has no name. */
interface Whose { readonly url?: string; readonly namespace?: string }

/** Where an outbox is kept on this platform. */
export async function outboxHome({ store = "indexeddb", name = "" }: OfflineOptions, { url = "", namespace = "default" }: Whose, report: (error: unknown) => void): Promise<OutboxHome> {
  const home = { name: name === "" ? `${url} ${namespace}` : name, tabs: undefined, hints };
  if (typeof store === "object") return { ...home, store, close: async () => {} };
  if (store === "memory") {
    const { memoryStore } = await import("./stores/memory.ts");
    const own = memoryStore({ randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)), onError: report });
    return { ...home, store: own, close: () => own.close() };
  }
  if (typeof indexedDB === "undefined") throw new ValidationError("ERR_OPTION", 'there is no IndexedDB here; give a store, such as offline: { store: await sqliteStore("outbox.db") }', { details: { path: "offline.store" } });
  const { indexedDbStore } = await import("./stores/indexeddb.ts");
  const own = indexedDbStore("event-router outbox", { onError: report });
  return { ...home, store: own, tabs: tabsOf(), close: () => own.close() };
}

/** Undefined where there are no Web Locks (a page on plain http): then each tab sends all, and the router stores each once. */
function tabsOf(): Tabs | undefined {
  const { locks } = globalThis.navigator as { locks?: LockManager };
  if (locks === undefined) return undefined;
  return {
    lock: (name, options, run) => locks.request(name, options, run),
    channel(name) {
      const channel = new BroadcastChannel(name);
      return {
        post: (message) => channel.postMessage(message),
        listen: (listener) => { channel.onmessage = ({ data }: MessageEvent) => listener(data); },
        close: () => channel.close(),
      };
    },
  };
}

/** What says that trying now may be worth it: none of it is believed. */
function hints(hinted: () => void): () => void {
  const { document, addEventListener, removeEventListener } = globalThis as Partial<typeof globalThis>;
  if (typeof addEventListener !== "function") return () => {};
  addEventListener.call(globalThis, "online", hinted);
  for (const sign of ["visibilitychange", "resume"]) document?.addEventListener(sign, hinted);
  return () => {
    removeEventListener?.call(globalThis, "online", hinted);
    for (const sign of ["visibilitychange", "resume"]) document?.removeEventListener(sign, hinted);
  };
}
