/**
 * The script of a SharedWorker, in which the tabs of an origin share one connection to the router above, or without one, a router of their own. In Vite
 * `transport: "shared-worker"` finds it by itself. Elsewhere a script that only says `import "@gadugi/event-router/shared-worker"` is the worker's.
 */
import { INSTANCE_LENGTH, randomText } from "../core/event-id.ts";
import { systemClock } from "../system-clock.ts";
import { tabHub } from "../tab-hub.ts";
import { hold, portWire, type Locks } from "../tabs/wire.ts";

/** What is used of a SharedWorker's global. */
const scope = globalThis as unknown as { onconnect: ((event: MessageEvent) => void) | null; readonly navigator: { readonly locks?: Locks } };

const { locks } = scope.navigator;
const lock = locks && `event-router:hub:${randomText(INSTANCE_LENGTH, (count) => crypto.getRandomValues(new Uint8Array(count)))}`;
const hub = tabHub({ clock: systemClock, locks, ...(lock !== undefined && { lock }) });
// Tabs are told of the lock only when it is held: else it would be free, as that of a worker that is gone.
const ready = locks && lock ? hold(locks, lock) : Promise.resolve();

scope.onconnect = ({ ports: [port] }) => {
  const wire = portWire(port!);
  void ready.then(() => hub.attach(wire));
};
