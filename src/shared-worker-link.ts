import type { Clock } from "./core/clock.ts";
import { ConnectionError } from "./core/errors.ts";
import { INSTANCE_LENGTH, randomText } from "./core/event-id.ts";
import type { Link } from "./core/link.ts";
import type { WebSocketLinkOptions } from "./links/websocket.ts";
import { tabLink, type Carrier } from "./tabs/tab-link.ts";
import type { Locks } from "./tabs/wire.ts";
import { workerCarrier, type SharedWorkerLike } from "./tabs/worker-carrier.ts";

/** Of the worker, the leader's lock and their channels. */
const SCOPE = "event-router";

/**
 * A link to the hub of this origin's tabs: in a SharedWorker, or where there is none, in the tab that leads.
 * @throws ConnectionError `ERR_TRANSPORT` where there is neither.
 */
export async function sharedWorkerLink({ url, enabled, maxAttempts, backoff, minDelay, maxDelay, clock }: Omit<WebSocketLinkOptions, "url"> & { readonly url: string | undefined }, worker: (() => SharedWorkerLike) | undefined): Promise<Link> {
  const locks = (globalThis.navigator as { locks?: Locks } | undefined)?.locks;
  return tabLink({
    carrier: await carrierOf(worker, clock, locks),
    upstream: url === undefined ? undefined : { url, enabled, maxAttempts, backoff, minDelay, maxDelay },
    clock,
    locks,
    lock: `${SCOPE}:tab:${token()}`,
  });
}

async function carrierOf(worker: (() => SharedWorkerLike) | undefined, clock: Clock, locks: Locks | undefined): Promise<Carrier> {
  if (worker !== undefined || typeof SharedWorker === "function") return workerCarrier(worker ?? ownWorker, clock);
  if (locks === undefined || typeof BroadcastChannel !== "function") {
    throw new ConnectionError("ERR_TRANSPORT", 'transport "shared-worker" needs SharedWorker, or Web Locks and BroadcastChannel, which a browser has on https and localhost; use transport: "websocket" elsewhere');
  }
  const [{ leaderCarrier }, { tabHub }] = await Promise.all([import("./tabs/leader-carrier.ts"), import("./tab-hub.ts")]);
  return leaderCarrier({
    scope: SCOPE, locks, clock,
    channel: (name) => new BroadcastChannel(name),
    random: () => Math.random(),
    randomText: token,
    visible: () => typeof document === "undefined" || document.visibilityState === "visible",
    page: globalThis,
    makeHub: (secret) => tabHub({ clock, locks, secret }),
  });
}

/** Bundlers read this expression and bring the script with them. */
function ownWorker(): SharedWorkerLike {
  return new SharedWorker(new URL("./hosts/shared-worker.js", import.meta.url), { type: "module", name: "event-router" });
}

function token(): string {
  return randomText(INSTANCE_LENGTH, (count) => crypto.getRandomValues(new Uint8Array(count)));
}
