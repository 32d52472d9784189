import { EventRouterClient } from "../../../src/index.ts";

const SIZE = 200;
const payload = { text: "x".repeat(SIZE) };

/** Bare IndexedDB, strict: so many records a transaction, one transaction after another. Records a second. */
export async function bare(perTransaction: number, total: number): Promise<number> {
  const request = indexedDB.open(`bare ${perTransaction} ${Math.random()}`);
  request.onupgradeneeded = () => request.result.createObjectStore("log", { autoIncrement: true });
  await new Promise((resolve) => { request.onsuccess = resolve; });
  const db = request.result;
  const start = performance.now();
  for (let written = 0; written < total; written += perTransaction) {
    const tx = db.transaction("log", "readwrite", { durability: "strict" });
    const store = tx.objectStore("log");
    for (let i = 0; i < perTransaction; i++) store.put(payload);
    await new Promise((resolve, reject) => {
      tx.oncomplete = resolve;
      tx.onabort = reject;
    });
  }
  const rate = (total * 1_000) / (performance.now() - start);
  db.close();
  return rate;
}

/** Publishes without a connection, so many at a time. Events a second, until each is durable. */
export async function outbox(inFlight: number, total: number, url: string): Promise<{ writes: number; drain: number }> {
  const client = new EventRouterClient({ url, offline: { name: `bench ${Math.random()}` }, reconnect: { minDelay: 20, maxDelay: 50 } });
  await client.outbox.list();
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next++ < total) await client.publish("n", payload);
  }));
  const writes = (total * 1_000) / (performance.now() - start);
  await (globalThis as { online?: () => Promise<void> }).online!();
  const begin = performance.now();
  while (client.outbox.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const drain = (total * 1_000) / (performance.now() - begin);
  await client.close();
  return { writes, drain };
}

/** With a connection, one after another and 256 at a time, with an outbox and without. */
export async function online(offline: boolean, inFlight: number, total: number, url: string): Promise<number> {
  const client = new EventRouterClient({ url, ...(offline && { offline: { name: `bench ${Math.random()}` } }) });
  await client.connect();
  if (offline) await client.outbox.list();
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next++ < total) await client.publish("n", payload);
  }));
  const rate = (total * 1_000) / (performance.now() - start);
  await client.close();
  return rate;
}
