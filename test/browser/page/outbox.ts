import type { EventRouterError } from "../../../src/core/errors.ts";
import { EventRouterClient, type EventRouterOptions } from "../../../src/index.ts";
import type { Attempt } from "../../support/history.ts";
import type { Mark } from "../../support/recorder.ts";

export { limitStorage } from "./store.ts";

let client: EventRouterClient;
const errors: string[] = [];

/** @param how whether the tab shares its connection with others: through a SharedWorker, or as in a browser without */
export async function open(url: string, options: EventRouterOptions = {}, how?: "worker" | "leader"): Promise<void> {
  if (how === "leader") delete (globalThis as { SharedWorker?: unknown }).SharedWorker;
  const shared: EventRouterOptions = how === undefined ? {} : { transport: "shared-worker", ...(how === "worker" && { worker: () => new SharedWorker("/shared-worker.js", { type: "module" }) }) };
  client = new EventRouterClient({ url, offline: true, timeout: "5m", reconnect: { minDelay: 20, maxDelay: 200 }, ...shared, ...options });
  client.onError((error) => errors.push((error as EventRouterError).code ?? String(error)));
  // Until the outbox is open.
  await client.outbox.list();
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Publishes numbers without waiting for one another; says how their receipts were. */
export async function publish(type: string, from: number, to: number): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  await Promise.all(range(from, to).map(async (n) => {
    const { status } = await client.publish(type, n);
    statuses[status] = (statuses[status] ?? 0) + 1;
  }));
  return statuses;
}

const witnesses = "witness";
const promised: Attempt[] = [];
const looks = new Set<() => void>();

/** Another page that remembers what this one was promised. */
export function witness(): void {
  const channel = new BroadcastChannel(witnesses);
  channel.onmessage = ({ data }: MessageEvent) => {
    promised.push(data as Attempt);
    for (const look of looks) look();
  };
}
export function witnessed(): Attempt[] { return promised; }

/** Resolves as soon as so many promises to a publisher have reached this witness. */
export function witnessedOf(publisher: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (promised.filter((one) => one.publisher === publisher).length < count) return;
      looks.delete(look);
      resolve();
    };
    looks.add(look);
    look();
  });
}

/** Publishes one event after another until the page dies, and tells the witness of each that is durable. */
export function publishOnAndOn(type: string, publisher: string): void {
  const channel = new BroadcastChannel(witnesses);
  void (async () => {
    for (let number = 1; ; number++) {
      const mark: Mark = { p: publisher, n: number };
      const { id, epoch, seq } = await client.publish(type, mark);
      const attempt: Attempt = { publisher, number, fate: { state: "acked", id, epoch, seq } };
      channel.postMessage(attempt);
    }
  })();
}

export async function publishUntilFull(type: string): Promise<{ code: string; kept: number }> {
  for (let n = 0; ; n++) {
    try {
      await client.publish(type, { n, text: "x".repeat(20_000) });
    } catch (error) {
      return { code: (error as EventRouterError).code, kept: n };
    }
  }
}

export function size(): number { return client.outbox.size; }
export function state(): string { return client.state; }
export function told(): string[] { return errors; }

/** Who of the tabs has the right to send: how many hold it, and how many wait for it. */
export async function locks(): Promise<{ held: number; pending: number }> {
  const { held, pending } = await navigator.locks.query();
  const ours = (all: LockInfo[] | undefined): number => all?.filter(({ name }) => name?.startsWith("event-router outbox")).length ?? 0;
  return { held: ours(held), pending: ours(pending) };
}

export async function emptied(): Promise<void> {
  while (client.outbox.size > 0 || client.state !== "connected") await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The settled receipt of an event that was published while this tab may not be the one that sends. */
export async function publishAndSettle(type: string, payload: unknown): Promise<{ status: string; settled: { status: string; seq: number | null } }> {
  const receipt = await client.publish(type, payload);
  const { status, seq } = await receipt.settled;
  return { status: receipt.status, settled: { status, seq } };
}

export async function connect(): Promise<void> { await client.connect(); }

export async function close(): Promise<void> { await client.close(); }
