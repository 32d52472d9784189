import { EventRouterClient, type ClientState, type EventRouterOptions, type RouterEvent } from "../../../src/index.ts";

/** What a tab has seen since it started. */
export interface Seen {
  readonly seqs: readonly number[];
  readonly epochs: readonly string[];
  /** Of what this tab has published: the seq of each that was acknowledged. */
  readonly acked: readonly number[];
  readonly failed: readonly string[];
  readonly gaps: number;
  readonly states: readonly ClientState[];
  /** ms between two receipts, at most. */
  readonly longest: number;
}

let client: EventRouterClient;
let running = false;
let stopped: Promise<void> = Promise.resolve();
const seqs: number[] = [];
const epochs = new Set<string>();
const acked: number[] = [];
const failed: string[] = [];
const states: ClientState[] = [];
const waiting = new Set<() => void>();
let gaps = 0;
let longest = 0;

/** A client in this tab. @param how `leader`: as in a browser without SharedWorker */
export async function start(how: "worker" | "leader", options: EventRouterOptions): Promise<void> {
  if (how === "leader") delete (globalThis as { SharedWorker?: unknown }).SharedWorker;
  client = new EventRouterClient({ ...options, transport: "shared-worker", ...(how === "worker" && { worker: () => new SharedWorker("/shared-worker.js", { type: "module" }) }) });
  client.onStateChange((state) => states.push(state));
  const sub = await client.subscribe("n", (event: RouterEvent) => {
    seqs.push(event.seq);
    epochs.add(event.epoch);
    for (const check of waiting) check();
  });
  sub.onGap(() => gaps++);
}

/** Publishes one event after another until `stop`. @param pause ms between them */
export async function run(name: string, pause: number): Promise<void> {
  running = true;
  stopped = (async () => {
    let last = performance.now();
    for (let n = 1; running; n++) {
      try {
        const { seq } = await client.publish("n", { name, n });
        acked.push(seq!);
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
        for (const check of waiting) check();
      } catch (error) {
        failed.push(String(error));
      }
      // Timers of hidden tabs are slow.
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  })();
}

export async function stop(): Promise<number> {
  running = false;
  await stopped;
  return acked.length;
}

export async function publish(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, async (_, n) => acked.push((await client.publish("n", { n })).seq!)));
}

/** Resolves when this tab has acknowledged so many publishes of its own. */
export async function published(count: number): Promise<void> { await until(() => acked.length >= count); }

/** Resolves when this tab has seen the event. */
export async function reached(seq: number): Promise<void> { await until(() => (seqs.at(-1) ?? 0) >= seq); }

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      const check = (): void => { waiting.delete(check); resolve(); };
      waiting.add(check);
    });
  }
}

export async function seen(): Promise<Seen> {
  return { seqs, epochs: [...epochs], acked, failed, gaps, states, longest };
}

export async function state(): Promise<ClientState> { return client.state; }
export async function leave(): Promise<void> { await client.close(); }
export async function ask(type: string, payload: unknown): Promise<unknown> { return (await client.request(type, payload)).payload; }
export async function answer(type: string, as: string): Promise<void> { await client.respond(type, () => as).ready; }
export async function hasSharedWorker(): Promise<boolean> { return typeof SharedWorker === "function"; }
