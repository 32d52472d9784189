import type { Clock } from "../core/clock.ts";
import { ConnectionError } from "../core/errors.ts";
import type { Carrier, CarrierListener } from "./tab-link.ts";
import { portWire } from "./wire.ts";

/** What is used of a SharedWorker. */
export interface SharedWorkerLike {
  readonly port: MessagePort;
  addEventListener(type: "error", listener: (event: Event) => void): void;
}

/** ms until the script is loaded again after it could not be, the first time; then twice as long, up to the second. */
const FIRST_RETRY = 250, LAST_RETRY = 30_000;

/** Reaches the hub in a SharedWorker; the browser starts it with the first tab, and again if it has crashed. */
export function workerCarrier(makeWorker: () => SharedWorkerLike, clock: Clock): Carrier {
  let listener: CarrierListener;
  let port: MessagePort | undefined;
  let failures = 0;
  let callOff = (): void => {};
  let closed = false;

  const reach = (): void => {
    callOff();
    port?.close();
    try {
      const worker = makeWorker();
      const own = worker.port;
      port = own;
      worker.addEventListener("error", (event) => { if (port === own) failed(event); });
      listener.hub(portWire(own));
    } catch (cause) {
      failed(cause);
    }
  };

  const failed = (cause: unknown): void => {
    if (closed) return;
    callOff();
    callOff = clock.after(Math.min(LAST_RETRY, FIRST_RETRY * 2 ** failures++), reach);
    listener.lost(new ConnectionError("ERR_TRANSPORT", "the script of the SharedWorker could not be started; outside of Vite name it yourself: worker: () => new SharedWorker(…)", { retryable: true, cause }), false);
  };

  return {
    start(on) {
      listener = on;
      reach();
    },
    again: reach,
    close() {
      closed = true;
      callOff();
      port?.close();
    },
  };
}
