import { expect, test } from "vitest";
import { serve } from "../../src/hosts/server.ts";
import { errorsOf, faultOf } from "../support/errors-of.ts";
import { seeded } from "../support/fake-surroundings.ts";
import { hello, lawful, mutate } from "../support/mutate.ts";
import { line } from "../support/raw-client.ts";
import { RawSocket } from "../support/raw-socket.ts";

const MESSAGES = Number(process.env.FUZZ_MESSAGES ?? 200_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);
const SOCKETS = 8;
/** Messages a socket sends before it waits for the router to have read them: few, as what follows a fatal one is not read. */
const BURST = 12;

test(`[Limits] ${MESSAGES} messages over WebSockets, many of them hostile: each has a typed answer, the server lives, and a bystander is served as if nothing were`, async () => {
  const complaints: unknown[] = [];
  await using server = await serve({ port: 0, retention: { maxEvents: 2_000 }, logger: { info: () => {}, error: (...what) => complaints.push(what) } });
  const url = `${server.url.replace("http", "ws")}/ws`;

  const bystander = await RawSocket.open(url);
  bystander.say(JSON.stringify(["hello", { v: 1, name: "bystander" }]));
  await bystander.heard();
  bystander.say(JSON.stringify(["sub", 1, { topics: ["bystander.*"] }]));
  await bystander.heard();
  const got: string[] = [];
  const published: string[] = [];
  bystander.onFrames = (frames) => {
    for (const frame of frames) {
      if (frame[0] !== "ev") continue;
      for (const event of frame[2]) got.push(event[3]);
      bystander.say(JSON.stringify(["ack", bystander.received, 1, frame[2].at(-1)![0]]));
    }
  };

  const closes = new Map<number, number>();
  const codes = new Set<string>();
  let left = MESSAGES;
  const attack = async (seed: number): Promise<void> => {
    const random = seeded(seed);
    while (left > 0) {
      const socket = await RawSocket.open(url);
      const said: string[] = [];
      socket.say(random() < 0.1 ? mutate(hello(random), random) : hello(random));
      left--;
      await socket.heard();
      while (left > 0 && socket.closed === undefined && said.length < 1_000) {
        for (let burst = Math.min(BURST, left); burst > 0; burst--) {
          left--;
          const roll = random();
          if (roll < 0.001) socket.sayBytes(Uint8Array.of(0x5b, 0xff, 0xfe, 0xed, 0xa0, 0x80), random() < 0.5);
          else {
            const message = roll < 0.08 ? mutate(lawful(random), random) : lawful(random);
            said.push(message);
            socket.say(message);
          }
        }
        await socket.heard();
        if (socket.closed === undefined && random() < 0.7) socket.say(JSON.stringify(["ack", socket.received]));
      }
      for (const frame of socket.frames) {
        for (const [, code] of errorsOf(frame)) codes.add(code);
        if (faultOf(frame) !== undefined) throw new Error(`${JSON.stringify(frame)} to one of ${JSON.stringify(said.slice(-BURST)).slice(0, 20_000)}`);
      }
      if (socket.closed !== undefined) {
        closes.set(socket.closed, (closes.get(socket.closed) ?? 0) + 1);
        // Where the WebSocket itself was broken there was no bye to send.
        if (![1_000, 1_007, 1_009].includes(socket.closed)) expect(socket.frames.at(-1)?.[0]).toBe("bye");
      }
      await socket.close();
      published.push(`b${published.length}`);
      bystander.say(`["pub",${published.length},1]\n${line(published.at(-1)!, "bystander.x", published.length)}`);
    }
  };
  await Promise.all(Array.from({ length: SOCKETS }, (_, i) => attack(SEED + i)));

  // Its own publishes come in the order of its socket, so the last one's answer has all before it.
  const req = published.length + 1;
  const answered = new Promise<void>((resolve) => {
    const deliver = bystander.onFrames;
    bystander.onFrames = (frames) => {
      deliver(frames);
      if (got.length >= published.length) resolve();
    };
  });
  published.push("last");
  bystander.say(`["pub",${req},1]\n${line("last", "bystander.x")}`);
  await answered;
  expect(got).toEqual(published);
  expect(bystander.closed).toBeUndefined();
  expect(complaints).toEqual([]);
  expect([...closes.keys()].filter((code) => ![1_000, 1_003, 1_007, 1_009, 4_400, 4_401, 4_403, 4_408].includes(code))).toEqual([]);
  expect(codes.size).toBeGreaterThan(MESSAGES >= 100_000 ? 14 : 0);
  const health = await fetch(`${server.url}/health`);
  expect(health.status).toBe(200);
  await health.text();
  if (process.env.FUZZ_SHOW !== undefined) console.log([...closes], [...codes].sort(), published.length);
  await bystander.close();
});
