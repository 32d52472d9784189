import { EventRouterClient, type ClientState, type EventRouterOptions } from "../../../src/index.ts";
import type { Attempt, Reading } from "../../support/history.ts";
import { Recorder } from "../../support/recorder.ts";

/** What a tab has done and seen since it started. */
export interface Seen {
  readonly attempts: readonly Attempt[];
  readonly seen: Reading["seen"];
  /** Publishes that have no receipt. */
  readonly failed: number;
  readonly states: readonly ClientState[];
  /** ms between two receipts, at most. */
  readonly longest: number;
}

const recorder = new Recorder();
const reading = recorder.reading("tab", ["n"]);
const states: ClientState[] = [];
let client: EventRouterClient;
let running = false;
let stopped: Promise<void> = Promise.resolve();
let longest = 0;
/** Of this tab as a publisher: no other page is called so. */
let name: string;

/** A client in this tab. @param how `leader`: as in a browser without SharedWorker */
export async function start(how: "worker" | "leader", as: string, options: EventRouterOptions): Promise<void> {
  if (how === "leader") delete (globalThis as { SharedWorker?: unknown }).SharedWorker;
  name = as;
  client = new EventRouterClient({ ...options, transport: "shared-worker", ...(how === "worker" && { worker: () => new SharedWorker("/shared-worker.js", { type: "module" }) }) });
  client.onStateChange((state) => states.push(state));
  const subscription = await client.subscribe("n", reading.handler);
  subscription.onGap(reading.gap);
}

/** Publishes one event after another until `stop`. @param pause ms between them */
export async function run(pause: number): Promise<void> {
  running = true;
  stopped = (async () => {
    let last = performance.now();
    while (running) {
      const { state } = await recorder.publish(client, name, "n");
      if (state === "acked") {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }
      // Timers of hidden tabs are slow.
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  })();
}

export async function stop(): Promise<number> {
  running = false;
  await stopped;
  return recorder.acked;
}

export async function publish(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => recorder.publish(client, name, "n")));
}

/** How many of its publishes were acknowledged. */
export function acked(): number { return recorder.acked; }

/** Resolves when this tab has acknowledged so many publishes of its own. */
export async function published(count: number): Promise<void> { await recorder.until(() => recorder.acked >= count); }

/** Resolves when this tab has seen the event. */
export async function reached(seq: number): Promise<void> { await recorder.until(() => reading.seen.some((one) => "seq" in one && one.seq >= seq)); }

export async function seen(): Promise<Seen> {
  const { attempts } = recorder;
  return { attempts, seen: reading.seen, failed: attempts.filter(({ fate }) => fate.state !== "acked").length, states, longest };
}

export async function state(): Promise<ClientState> { return client.state; }
export async function leave(): Promise<void> { await client.close(); }
export async function ask(type: string, payload: unknown): Promise<unknown> { return (await client.request(type, payload)).payload; }
export async function answer(type: string, as: string): Promise<void> { await client.respond(type, () => as).ready; }
export async function hasSharedWorker(): Promise<boolean> { return typeof SharedWorker === "function"; }
