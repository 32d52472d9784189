import { PermissionError, type EventRouterClient } from "../../index.ts";
import { ask } from "../ask.ts";
import { messageOf } from "../failure.ts";
import type { RouterAccess } from "../router-access.ts";
import { isLoopback } from "../serve-options.ts";
import type { Shell } from "../shell.ts";
import { failed, ok, warning, type Finding } from "./finding.ts";

/** Milliseconds by which two clocks may differ before it confuses people who compare logs. */
const CLOCK = 5_000;
/** Milliseconds within which the first bytes of an event stream must come: a proxy that gathers them would hold back events as well. */
const FIRST_BYTES = 3_000;

/** Whether a router can be used from here, by each of the ways there are. */
export async function* checkRouter(router: RouterAccess, { stop }: Shell): AsyncGenerator<Finding> {
  const signal = (): AbortSignal => AbortSignal.any([stop, AbortSignal.timeout(router.timeout)]);
  let health: { readonly status: string; readonly checks: Readonly<Record<string, string>> };
  try {
    health = await ask(router, "/health", { signal: signal(), accept: [200, 503] });
  } catch (error) {
    return yield failed("reach", messageOf(error));
  }
  const ill = Object.entries(health.checks).filter(([, state]) => state !== "ok").map(([name, state]) => `${name} ${state}`);
  yield ill.length === 0 ? ok("reach", `${router.url} answers and is well`) : failed("reach", `${router.url} answers, but ${ill.join(", ")}; its own log says why`);
  yield secrecyOf(router);
  yield await clockOf(router, signal());
  const rights = await rightsOf(router, signal());
  yield rights;
  // Who is not let in at all learns nothing more.
  if (rights.state === "failed") return;
  yield await eventStreamOf(router, stop);
  yield* webSocketOf(router, signal());
}

function secrecyOf(router: RouterAccess): Finding {
  const { protocol, hostname } = router.http("/");
  if (protocol === "https:" || isLoopback(hostname.replace(/^\[|\]$/g, ""))) return ok("secrecy", protocol === "https:" ? "TLS" : "nothing leaves this machine");
  return warning("secrecy", `${protocol}//: what is sent${Object.keys(router.headers).length > 0 ? ", the credential too," : ""} can be read on the way; use https`);
}

async function clockOf(router: RouterAccess, signal: AbortSignal): Promise<Finding> {
  const asked = Date.now();
  const response = await fetch(router.http("/health"), { signal });
  await response.body?.cancel();
  // The header tells whole seconds.
  const there = Date.parse(response.headers.get("date") ?? "") + 500;
  if (Number.isNaN(there)) return warning("clock", "the router does not tell its time, so it cannot be compared");
  const off = there - (asked + Date.now()) / 2;
  return Math.abs(off) < CLOCK ? ok("clock", "the same here and there, to a few seconds") : warning("clock", `the router's is ${Math.round(Math.abs(off) / 1_000)} s ${off > 0 ? "ahead of" : "behind"} this machine's; let both follow NTP`);
}

async function rightsOf(router: RouterAccess, signal: AbortSignal): Promise<Finding> {
  try {
    await ask(router, "/api/v1/stats", { signal });
    return ok("rights", `this credential may manage the namespace ${router.namespace}`);
  } catch (error) {
    if (error instanceof PermissionError) return warning("rights", `this credential may not manage the namespace ${router.namespace}: status, subscriptions, dead letters and purge need one that may`);
    return failed("rights", messageOf(error));
  }
}

async function eventStreamOf(router: RouterAccess, stop: AbortSignal): Promise<Finding> {
  const url = router.http("/api/v1/events/stream");
  url.searchParams.set("topics", "doctor.check");
  const late = AbortSignal.timeout(FIRST_BYTES);
  const left = new AbortController();
  try {
    const response = await fetch(url, { headers: router.headers, signal: AbortSignal.any([stop, late, left.signal]) });
    if (!response.ok) return response.status === 403 ? warning("event stream", "this credential may not read doctor.check, so it was not tried") : failed("event stream", `it answered ${response.status}`);
    const { done } = await response.body!.getReader().read();
    return done ? failed("event stream", "it ended at once; is something between here and the router that ends long answers?") : ok("event stream", "comes without delay");
  } catch (error) {
    stop.throwIfAborted();
    return late.aborted ? failed("event stream", `nothing came within ${FIRST_BYTES / 1_000} s; a proxy on the way gathers answers: turn off its buffering for /api/v1/events/stream`) : failed("event stream", messageOf(error));
  } finally {
    left.abort();
  }
}

async function* webSocketOf(router: RouterAccess, signal: AbortSignal): AsyncGenerator<Finding> {
  await using client = router.connect();
  try {
    await client.connect({ signal });
  } catch (error) {
    return yield failed("WebSocket", `${messageOf(error)}; HTTP works, so if a proxy is on the way let it pass on Upgrade for ${router.http("/ws").pathname}`);
  }
  const { durability } = client.capabilities!;
  yield ok("WebSocket", "connects");
  yield durability === "memory" ? warning("durability", "memory: events are gone when the router stops") : ok("durability", durability);
  yield await roundTrip(client, signal);
}

/** An event to oneself, which is not stored. */
async function roundTrip(client: EventRouterClient, signal: AbortSignal): Promise<Finding> {
  const start = performance.now();
  const mine = crypto.randomUUID();
  try {
    const arrived = Promise.withResolvers<void>();
    await client.subscribe({ topics: ["doctor.check"], signal, handler: ({ payload }: { payload: unknown }) => { if (payload === mine) arrived.resolve(); } });
    await client.publish({ type: "doctor.check", payload: mine, ephemeral: true, signal });
    signal.addEventListener("abort", () => arrived.reject(new Error("an event that was published did not come back in time")));
    await arrived.promise;
    return ok("round trip", `an event came back after ${(performance.now() - start).toFixed(1)} ms`);
  } catch (error) {
    return error instanceof PermissionError ? warning("round trip", "this credential may not publish or read doctor.check, so it was not tried") : failed("round trip", messageOf(error));
  }
}
