// The package's SharedWorker with a router in memory, so that the ports are measured and not the disk.
import { createRouter } from "../../../src/in-process-router.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { tabHub } from "../../../src/tab-hub.ts";
import { portWire } from "../../../src/tabs/wire.ts";

const hub = tabHub({ clock: systemClock, locks: navigator.locks, makeRouter: () => ({ router: createRouter(), close: async () => {} }) });
globalThis.onconnect = ({ ports: [port] }) => hub.attach(portWire(port));
