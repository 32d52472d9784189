import { EventEmitter } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Port } from "../../src/core/link.ts";
import { Connection } from "../../src/hosts/websocket-connection.ts";
import { FrameWriter } from "../../src/hosts/websocket-frame.ts";
import { SocketClient } from "./socket-client.ts";
import { startHost } from "./websocket-host.ts";

test("what comes together leaves in one write per session, and its bytes are made once", async () => {
  await using host = await startHost();
  const readers = await Promise.all([1, 2, 3].map(() => SocketClient.connect(host.url)));
  for (const reader of readers) reader.say(["sub", 1, { topics: ["a.*"] }]);
  for (const reader of readers) await reader.until(() => reader.named("on").length > 0);
  const publisher = await SocketClient.connect(host.url);
  const before = host.writes.map((own) => own.length);
  publisher.publish(1, Array.from({ length: 40 }, (_, i) => `e${i}`));
  for (const reader of readers) await reader.until(() => reader.ids.length === 40);
  const sent = host.writes.slice(0, 3).map((own, i) => own.slice(before[i]));
  expect(sent.map((writes) => writes.length)).toEqual([1, 1, 1]);
  expect(sent[1]![0]).toBe(sent[0]![0]);
  expect(sent[2]![0]).toBe(sent[0]![0]);
});

test("many frames in one message, and an answer that is too long to share a write, come whole and in order", async () => {
  await using host = await startHost();
  const client = await SocketClient.connect(host.url);
  client.say(["sub", 1, { topics: ["**"] }]);
  const text = "ä".repeat(60_000);
  for (let i = 1; i <= 4; i++) client.publish(i, [`e${i}`], "a.b", text);
  await client.until(() => client.ids.length === 4 && client.named("pub").length === 4);
  expect(client.ids).toEqual(["e1", "e2", "e3", "e4"]);
  expect(client.named("ev").flatMap((frame) => frame[2].map((line) => line[5]))).toEqual([text, text, text, text]);
});

test("ping is answered", async () => {
  await using host = await startHost();
  const client = await SocketClient.connect(host.url);
  client.socket.send("ping");
  await client.until(() => client.texts.includes("pong"));
});

test("binary messages end the session with ERR_FRAME", async () => {
  await using host = await startHost();
  const client = await SocketClient.connect(host.url);
  client.socket.send(Buffer.from('["call",1,"stats"]'));
  expect(await client.ended()).toEqual({ code: 4400, reason: "ERR_FRAME" });
  expect(client.named("bye")[0]![1]).toMatchObject(["ValidationError", "ERR_FRAME", expect.stringContaining("text"), 0]);
});

test("before it is welcome a client may send 8 KiB, and must within its time", async () => {
  await using patient = await startHost();
  const talker = new SocketClient(patient.url);
  talker.socket.on("open", () => talker.say(["hello", { v: 1, name: "x".repeat(9_000) }]));
  expect((await talker.ended()).reason).toBe("ERR_FRAME_TOO_LARGE");
  await using host = await startHost({ limits: { helloTime: 50 } });
  const silent = new SocketClient(host.url);
  expect((await silent.ended()).reason).toBe("ERR_HELLO_TIMEOUT");
});

test("a message over the limit, a bad frame and a text that is not UTF-8 end their own connection and no other", async () => {
  await using host = await startHost({ limits: { frame: 20_000 } });
  const bystander = await SocketClient.connect(host.url);
  const large = await SocketClient.connect(host.url);
  large.socket.send("x".repeat(20_001));
  expect((await large.ended()).code).toBe(1009);
  for (const [bytes, code] of [[Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), 1007], [Buffer.from([0xff, 0xff, 0xff]), 1002]] as const) {
    const bad = await SocketClient.connect(host.url);
    (bad.socket as unknown as { _socket: { write(data: Uint8Array): void } })._socket.write(bytes);
    expect((await bad.ended()).code).toBe(code);
  }
  await expect.poll(() => host.host.connections).toBe(1);
  expect(host.router.stats().get("default")!.connections).toBe(1);
  bystander.publish(1, ["still"]);
  await bystander.until(() => bystander.named("pub").length === 1);
  expect(host.failures).toEqual([]);
});

test("[P11] peers that vanish in the middle leave nothing behind", async () => {
  await using host = await startHost();
  const port = Number(new URL(host.url).port);
  const clients = await Promise.all(Array.from({ length: 20 }, () => SocketClient.connect(host.url)));
  for (const [i, client] of clients.entries()) {
    client.say(["sub", 1, { topics: ["**"] }]);
    if (i % 2 === 0) client.socket.terminate();
    else client.socket.close();
  }
  // One that goes away before its upgrade is answered, and one that never asks properly.
  const raw = connect(port, "127.0.0.1", () => {
    raw.write("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
    raw.resetAndDestroy();
  });
  raw.on("error", () => {});
  await expect.poll(() => host.host.connections).toBe(0);
  expect(host.router.stats().get("default")).toMatchObject({ connections: 0, activeSubscriptions: 0 });
  expect(host.failures).toEqual([]);
});

test("a peer that is silent for three heartbeats is ended, one that gives signs of life is not", async () => {
  await using host = await startHost();
  const silent = await SocketClient.connect(host.url);
  const alive = await SocketClient.connect(host.url);
  for (let beat = 0; beat < 4; beat++) {
    expect(silent.closed).toBeUndefined();
    alive.socket.send("ping");
    await alive.until(() => alive.texts.filter((text) => text === "pong").length === beat + 1);
    host.host.sweep();
  }
  expect((await silent.ended()).code).toBe(1006);
  await expect.poll(() => host.host.connections).toBe(1);
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
});

test("the sweep comes by itself, each heartbeat", async () => {
  await using host = await startHost({}, { heartbeat: 300 });
  const silent = await SocketClient.connect(host.url);
  expect((await silent.ended()).code).toBe(1006);
});

test("[P11] a peer that asks and never reads is ended before it fills the memory", async () => {
  await using host = await startHost({ limits: { windowSize: 16 * 1024 } });
  const greedy = await SocketClient.connect(host.url);
  greedy.socket.pause();
  for (let i = 0; i < 1_000; i++) greedy.publish(i, ["e"], "not*a*type");
  await expect.poll(() => host.router.stats().get("default")!.connections).toBe(0);
});

test("[P11] pings of a peer that does not read are not answered; two sweeps that find much unwritten end it", () => {
  const wire = { writableLength: 0, writes: 0, write() { this.writes++; }, cork() {}, uncork() {} };
  const socket = Object.assign(new EventEmitter(), { _socket: wire, OPEN: 1, readyState: 1, pongs: 0, ended: 0, pong() { this.pongs++; }, terminate() { this.ended++; } });
  const router = { connect: (port: Port) => ({ receive: () => port.send([{ text: "pong" }]), disconnected: () => {} }) };
  const connection = new Connection(socket as never, { router: router as never, writer: new FrameWriter(), caller: {}, gone: () => {} });
  const ping = (): void => {
    socket.emit("message", Buffer.from("ping"), false);
    socket.emit("ping", Buffer.alloc(0));
  };
  ping();
  wire.writableLength = 100_000;
  ping();
  expect([wire.writes, socket.pongs]).toEqual([1, 1]);
  connection.sweep(99_999);
  wire.writableLength = 0;
  connection.sweep(99_999);
  wire.writableLength = 100_000;
  ping();
  connection.sweep(99_999);
  expect(socket.ended).toBe(0);
  connection.sweep(99_999);
  expect(socket.ended).toBe(1);
});

test("a wrong path is refused in words of HTTP", async () => {
  await using host = await startHost();
  const answer = await new Promise<{ status: number | undefined; body: string }>((resolve) => {
    const socket = new WebSocket(host.url.replace("/ws", "/socket.io"));
    socket.on("error", () => {});
    socket.on("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => { body += chunk.toString(); });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
  });
  expect(answer.status).toBe(404);
  expect(JSON.parse(answer.body)).toMatchObject({ code: "ERR_NOT_FOUND", detail: "WebSockets are at /ws" });
});

test("a session that ends is told why before the socket closes, and nothing is written after", async () => {
  await using host = await startHost();
  const client = await SocketClient.connect(host.url);
  client.say('["nonsense"]');
  client.say(["call", 1, "health"]);
  expect(await client.ended()).toEqual({ code: 4400, reason: "ERR_FRAME" });
  expect(client.frames.at(-1)![0]).toBe("bye");
  await delay(10);
  expect(host.failures).toEqual([]);
});
