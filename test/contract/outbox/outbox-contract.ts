import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../../../src/hosts/server.ts";
import { EventRouterClient, type EventRouterOptions, type RouterEvent } from "../../../src/index.ts";
import { sqliteStore } from "../../../src/stores/sqlite.ts";
import { fixedPort } from "../../support/fixed-port.ts";
import { equal, ok } from "../check.ts";
import type { Suite } from "../suite.ts";

const EVENTS = 50;
const CANARY = "canary-4111-1111";
const encryption = { enabled: true, algorithm: "AES-256-GCM", key: btoa(String.fromCharCode(...Array.from({ length: 32 }, (_, i) => i + 1))) } as const;

/** What an outbox in a SQLite file promises, in every runtime that has one. */
export function outboxContract({ test }: Suite): void {
  test("[P1] [P3] [P4] [I17] what is published without a router is in the file, encrypted, outlives the client, and arrives once, in order, readable for who has the key", async () => {
    const folder = await mkdtemp(join(tmpdir(), "outbox-"));
    const url = `http://127.0.0.1:${await fixedPort()}`;
    const options: EventRouterOptions = { url, encryption, reconnect: { minDelay: 5, maxDelay: 50 }, logger: { error: () => {} } };
    const file = join(folder, "outbox.db");
    try {
      const store = await sqliteStore(file);
      const away = new EventRouterClient({ ...options, offline: { store } });
      for (let n = 0; n < EVENTS; n++) equal((await away.publish("note.saved", { n, text: CANARY })).status, "queued", `publish ${n}`);
      equal(away.outbox.size, EVENTS, "what waits");
      await away.close();
      await store.close();
      for (const name of await readdir(folder)) {
        const bytes = await readFile(join(folder, name));
        ok(!bytes.includes(CANARY), `${name} holds the plaintext`);
      }

      await using server = await serve({ port: Number(new URL(url).port), store: "memory" });
      const kept = await sqliteStore(file);
      const back = new EventRouterClient({ ...options, offline: { store: kept } });
      const reader = new EventRouterClient({ ...options, url: server.url });
      const got: RouterEvent[] = [];
      await new Promise<void>((resolve, reject) => {
        reader.on("note.*", { from: "start" }, (event) => { if (got.push(event) >= EVENTS) resolve(); });
        back.connect().catch(reject);
      });
      while (back.outbox.size > 0) await new Promise<void>((resolve) => { const stop = back.outbox.onChange(() => { stop(); resolve(); }); });
      // Nothing comes behind them.
      await back.publish("note.last", {});
      while (got.at(-1)!.type !== "note.last") await new Promise((resolve) => { setTimeout(resolve, 5); });
      equal(got.slice(0, -1).map(({ payload }) => payload), Array.from({ length: EVENTS }, (_, n) => ({ n, text: CANARY })), "payloads");
      await Promise.all([back.close(), reader.close()]);
      await kept.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
