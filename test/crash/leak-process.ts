// Opens and closes all that a process can hold, again and again, and says after each life what is left: `node --expose-gc leak-process.ts LIVES FOLDER`.
// Then it must end by itself.
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { serve } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";

/** What is left when everything is closed. */
export interface Left {
  /** Timers, sockets, servers, files: kinds of what keeps a process alive. */
  readonly resources: readonly string[];
  /** Listeners at a signal that outlives them all, and at the process. */
  readonly listeners: { readonly signal: number; readonly process: number };
  /** Bytes of live objects. */
  readonly heap: number;
}

const [, , lives, folder] = process.argv;
const { signal } = new AbortController();
const own = process.getActiveResourcesInfo();
const quiet = { logger: { error: () => {} } };

async function life(): Promise<void> {
  await using server = await serve({ port: 0, store: `sqlite:${join(folder!, "log.db")}`, retention: { maxEvents: 200 } });
  const connect = (options = {}): EventRouterClient => new EventRouterClient({ url: server.url, ...quiet, ...options });
  await using one = connect({ name: "one" });
  const store = await sqliteStore(join(folder!, "outbox.db"));
  const two = connect({ offline: { store } });
  await using inside = new EventRouterClient({ ...quiet, name: "inside" });
  const nowhere = new EventRouterClient({ url: "ws://127.0.0.1:9", ...quiet });

  // What lasts until the client closes, or is ended by itself.
  const seen: number[] = [];
  await one.subscribe("job.*", { durable: "reader", signal }, ({ seq }) => void seen.push(seq));
  await one.subscribe("job.*", { group: "workers", retry: { maxRetries: 3, delay: "10m", maxDelay: "10m" }, signal }, ({ payload }) => {
    if (payload === 7) throw new Error("tried again in ten minutes");
  });
  await inside.subscribe("job.*", { signal }, () => {});
  await inside.publish("job.done");
  const short = await two.subscribe("**", { signal }, () => {});
  await two.respond("double", ({ payload }) => 2 * (payload as number)).ready;
  for (let n = 0; n < 20; n++) await two.publish("job.done", n, { signal });
  await one.cancel((await one.publish("job.later", 1, { delay: "1h" })).id);
  await one.request("double", 21, { signal, timeout: "1m" });
  const nobody = one.request("nobody", 1, { signal, timeout: "1h" }).catch(() => {});
  const unreachable = nowhere.publish("job.done", 1, { signal, timeout: 50 }).catch(() => {});
  await short.unsubscribe();
  for await (const _ of one.stream("job.*", { from: "start", signal })) break;
  // An event stream that is open when its server closes.
  const stream = await fetch(`${server.url}/api/v1/events/stream`);
  await Promise.all([one.close(), two.close(), nowhere.close()]);
  await store.close();
  await Promise.all([nobody, unreachable]);
  await server.close({ timeout: 0 });
  await stream.body?.cancel().catch(() => {});
}

const all: Left[] = [];
for (let n = 0; n < Number(lives); n++) {
  await life();
  // Sockets that were closed are gone a turn later.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  gc!();
  const resources = [...process.getActiveResourcesInfo()];
  for (const kind of own) if (resources.includes(kind)) resources.splice(resources.indexOf(kind), 1);
  all.push({
    resources,
    listeners: { signal: getEventListeners(signal, "abort").length, process: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0) },
    heap: process.memoryUsage().heapUsed,
  });
}
process.stdout.write(JSON.stringify(all));
