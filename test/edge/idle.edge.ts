import { once } from "node:events";
import { setTimeout as passed } from "node:timers/promises";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { WranglerDev } from "./wrangler-dev.ts";

const SOCKETS = 100;
const SECONDS = 60;
const EVERY = 5;

test(`${SOCKETS} idle sockets that give a sign of life every ${EVERY} s, for ${SECONDS} s: the object sleeps and is not woken`, async () => {
  await using edge = await WranglerDev.start();
  let subscribed = 0;
  let pongs = 0;
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/ws?namespace=idle`);
    socket.on("message", (data: Buffer) => {
      if (data.toString() === "pong") pongs++;
      else if (data.toString().startsWith('["welcome"')) socket.send('["sub",1,{"topics":["t"]}]');
      else if (data.toString().startsWith('["on"')) subscribed++;
    });
    await once(socket, "open");
    socket.send('["hello",{"v":1,"namespace":"idle"}]');
    return socket;
  }));
  while (subscribed < SOCKETS) await passed(50);
  const stats = async (): Promise<Record<string, number>> => (await fetch(`${edge.url}/api/v1/stats?namespace=idle`)).json() as Promise<Record<string, number>>;
  const publish = (): Promise<Response> => fetch(`${edge.url}/api/v1/events?namespace=idle`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"type":"t","payload":1}' });
  // What the meter has counted is written down with an event.
  await publish();
  const before = await stats();
  const count = (what: string): number => edge.output.split(`idle: ${what}`).length - 1;
  const [woken, messages] = [count("woken"), count("message")];
  for (let i = 0; i < SECONDS / EVERY; i++) {
    for (const socket of sockets) socket.send("ping");
    await passed(EVERY * 1_000);
  }
  expect([count("woken") - woken, count("message") - messages]).toEqual([0, 0]);
  expect(pongs).toBe((SOCKETS * SECONDS) / EVERY);
  // It had been put away: this wakes it, once.
  const after = await stats();
  console.log(`edge idle: ${pongs} heartbeats answered, ${count("woken") - woken} wakes (by the request that asked)`);
  expect([after.edge_wakes! - before.edge_wakes!, count("woken") - woken]).toEqual([1, 1]);
  expect(sockets.every(({ readyState }) => readyState === WebSocket.OPEN)).toBe(true);
  for (const socket of sockets) socket.terminate();
});
