import { createRouter } from "../../../src/in-process-router.ts";
import { indexedDbStore } from "../../../src/stores/indexeddb.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { tabHub } from "../../../src/tab-hub.ts";
import { hold, portWire, type Locks } from "../../../src/tabs/wire.ts";

/** The hub of a SharedWorker with a router and a database for one contract test, named in its URL; it ends when it is told. */
const query = new URL(location.href).searchParams;
const name = query.get("name")!;
const { locks } = navigator as unknown as { locks: Locks };
const store = indexedDbStore(name, { onError: (error) => console.error(error) });
const router = createRouter(store, JSON.parse(query.get("retention")!) as object);
const lock = `contract ${Math.random()}`;
const hub = tabHub({ clock: systemClock, locks, lock, makeRouter: () => ({ router, close: () => store.close() }) });
const ready = hold(locks, lock);

(globalThis as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports: [port] }) => {
  const wire = portWire(port!);
  void ready.then(() => hub.attach(wire));
};

const orders = new BroadcastChannel(`end ${name}`);
orders.onmessage = async () => {
  await router.close({ retryAfter: 1 });
  await store.close();
  orders.postMessage("ended");
  close();
};
