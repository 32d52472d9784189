import { once } from "node:events";
import { setTimeout as passed } from "node:timers/promises";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { WranglerDev } from "./wrangler-dev.ts";

const SOCKETS = 2_000;
const RELAYS = 4;
const EVENTS = 60;
/** ms between two events of the first half; those of the second come at once. */
const EVERY = 250;

/** Events after which a reader says that it has them, as our client does. */
const ACK = 64;

interface Reader { readonly socket: WebSocket; readonly seqs: number[] }
type Line = readonly [seq: number, time: number, from: unknown, id: string, type: string, payload: number];

/** A subscriber. @param told of each event: when it was published, by its payload */
async function read(url: string, namespace: string, told: (at: number) => void): Promise<Reader> {
  const socket = new WebSocket(url);
  const seqs: number[] = [];
  let received = 0;
  const subscribed = new Promise<void>((resolve) => {
    socket.on("message", (data: Buffer) => {
      const text = data.toString();
      received += text.length;
      for (const line of text.split("\n")) {
        const [name, , events] = JSON.parse(line) as [string, number, readonly Line[]];
        if (name === "welcome") socket.send('["sub",1,{"topics":["t"]}]');
        else if (name === "on") resolve();
        else if (name === "ev") {
          const before = seqs.length;
          for (const [seq, , , , , at] of events) {
            seqs.push(seq);
            told(at);
          }
          if (Math.floor(before / ACK) < Math.floor(seqs.length / ACK)) socket.send(JSON.stringify(["ack", received, 1, seqs.at(-1)!]));
        }
      }
    });
  });
  await once(socket, "open");
  socket.send(JSON.stringify(["hello", { v: 1, namespace }]));
  await subscribed;
  return { socket, seqs };
}

/** Publishes to many subscribers, and prints how long it takes. @param query by which way they come in @param routers that are to have a part in it */
async function fanOut(edge: WranglerDev, namespace: string, query: string, routers: number): Promise<void> {
  const url = `ws://127.0.0.1:${edge.port}/ws?namespace=${namespace}`;
  let wake = (): void => {};
  let latencies: number[] = [];
  const told = (at: number): void => {
    latencies.push(performance.now() - at);
    wake();
  };
  const readers: Reader[] = [];
  for (let i = 0; i < SOCKETS; i += 100) readers.push(...(await Promise.all(Array.from({ length: 100 }, () => read(url + query, namespace, told)))));
  const all = async (count: number): Promise<void> => { while (latencies.length < count * SOCKETS) await new Promise<void>((resolve) => { wake = resolve; }); };
  const writer = new WebSocket(`${url}&relay=0`);
  await once(writer, "open");
  writer.send(JSON.stringify(["hello", { v: 1, namespace }]));
  await once(writer, "message");
  const publish = (n: number): void => writer.send(`["pub",${n},1]\n${JSON.stringify([`e${n}`, "t", performance.now()])}`);
  for (let n = 1; n <= EVENTS; n++) {
    publish(n);
    await passed(EVERY);
  }
  await all(EVENTS);
  const paced = latencies.sort((a, b) => a - b);
  const at = (share: number): string => paced[Math.floor(share * paced.length)]!.toFixed(1);
  console.log(`edge ${namespace}: ${SOCKETS} sockets, an event each ${EVERY} ms: ${paced.length} deliveries, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${paced.at(-1)!.toFixed(1)} ms`);
  latencies = [];
  const start = performance.now();
  for (let n = EVENTS + 1; n <= 2 * EVENTS; n++) publish(n);
  await all(EVENTS);
  console.log(`edge ${namespace}: ${EVENTS} events at once: ${Math.round((EVENTS * SOCKETS * 1_000) / (performance.now() - start))} deliveries/s`);
  const expected = Array.from({ length: 2 * EVENTS }, (_, i) => i + 1);
  for (const { seqs } of readers) expect(seqs).toEqual(expected);
  const stats = (await (await fetch(`${edge.url}/api/v1/stats?namespace=${namespace}`)).json()) as Record<string, number>;
  expect([stats.active_subscriptions, stats.routers]).toEqual([SOCKETS, routers]);
  for (const { socket } of [...readers, { socket: writer }]) socket.terminate();
}

test(`[P2] [P3] ${SOCKETS} sockets over ${RELAYS} relays: each is reached, seqs without a hole`, async () => {
  await using edge = await WranglerDev.start(undefined, { RELAYS: String(RELAYS) });
  await fanOut(edge, "over-relays", "", RELAYS + 1);
  // For comparison: all at the owner.
  await fanOut(edge, "without-relays", "&relay=0", 1);
});
