import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { EventRouterClient } from "../../src/index.ts";
import { seeded } from "../support/fake-surroundings.ts";
import { settle } from "../support/test-clock.ts";
import { mutate } from "../support/mutate.ts";
import { line, ScriptedRouter } from "./scripted-router.ts";

// A client believes what its router says of events; it does not fall for it. What is not the protocol ends the connection, not the process.

const uncaught: unknown[] = [];
const caught = (error: unknown): void => void uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on("uncaughtException", caught).on("unhandledRejection", caught);
});
afterEach(() => {
  process.off("uncaughtException", caught).off("unhandledRejection", caught);
  expect(uncaught).toEqual([]);
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("polluted");
});

const deep = "[".repeat(200_000) + "]".repeat(200_000);
const manyKeys = `{${Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":0`).join(",")}}`;
const event = (payload: string, meta = ""): string => `["ev",[1],[[1,1767225600000,0,"e","n",${payload}${meta}]]]`;

const lies: readonly (readonly [what: string, message: string])[] = [
  ["no JSON", "{"], ["nothing", ""], ["NUL", "\0"], ["CR/LF", '["ev",[1],\r\n[]]'], ["a number", "5"], ["null", "null"], ["an empty array", "[]"], ["an object", '{"0":"ev"}'], ["a name that is none", "[null]"],
  ["a frame of a later router", '["later",1]'], ["__proto__ as a frame", '["__proto__",1]'], ["200,000 levels", deep], ["an event of 200,000 levels", event(deep)], ["200,000 open brackets", "[".repeat(200_000)], ["100,000 keys", event(manyKeys)],
  ["__proto__ in a payload", event('{"__proto__":{"polluted":1}}')], ["__proto__ in an event's meta", event("1", ',{"__proto__":{"polluted":1}}')], ["constructor in an event's meta", event("1", ',{"constructor":{"prototype":{"polluted":1}}}')],
  ["events without a list", '["ev",[1]]'], ["events of a number", '["ev",[1],[5]]'], ["events for nobody", '["ev",[99],[[1,1,0,"e","n",1]]]'], ["events for everybody at once", `["ev",[${Array.from({ length: 50_000 }, (_, i) => i).join(",")}],[[1,1,0,"e","n",1]]]`],
  ["a time that is none", '["ev",[1],[[1,1e999,0,"e","n",1]]]'], ["a seq that is none", '["ev",[1],[["x",1,0,"e","n",1]]]'], ["a mix that does not add up", '["mix",[[1]],[[1,1,0,"e","n",1],[2,1,0,"e","n",1]]]'],
  ["a receipt nobody waits for", '["pub",99,1,[1]]'], ["a receipt of nothing", '["pub",1]'], ["an answer nobody waits for", '["ok",99,{}]'], ["an error that is none", '["err",1]'], ["an error of __proto__", '["err",1,["__proto__","x","y",0,{"__proto__":{"polluted":1}}]]'],
  ["an error of constructor", '["err",1,["constructor","x","y",0]]'], ["a question without a request", '["ask",1]'], ["an end of everything", '["end",1,["PermissionError","ERR_PERMISSION","no",0]]'], ["a gap that is none", '["gap",1,null]'], ["rights that are none", '["rights",null]'],
  ["a second welcome", '["welcome",{"v":1}]'], ["a welcome of a later protocol, too late", '["welcome",{"v":2}]'], ["a welcome without limits", '["welcome",{"v":1,"caps":[],"epoch":"e","head":0}]'],
  ["a bye at once", '["bye",["ConnectionError","ERR_X","go",1,{"retryAfter":0}]]'], ["a bye of no number", '["bye",["ConnectionError","ERR_X","go",1,{"retryAfter":"soon"}]]'], ["a bye for ever", '["bye",["ConnectionError","ERR_X","go",1,{"retryAfter":1e300}]]'], ["a bye of nothing", '["bye"]'],
];

describe("what is said to a client that subscribes, publishes and asks", () => {
  test.each(lies)("[Limits] %s: it goes on, or begins a connection anew, and works with the next router", async (_, message) => {
    const router = new ScriptedRouter();
    const client = router.client({ timeout: "1h" });
    const errors: Error[] = [];
    client.onError((error) => errors.push(error as Error));
    const handled: unknown[] = [];
    await client.connect();
    const sub = client.on("n", ({ payload }) => void handled.push(payload));
    const answer = client.request("q", 1).catch((error: Error) => error);
    const receipt = client.publish("n", 1).catch((error: Error) => error);
    await router.take();
    router.say(["on", sub.id, "e1", 0]);
    router.raw(message.replace('["ev",[1]', `["ev",[${sub.id}]`).replace('["end",1', `["end",${sub.id}`));
    await settle();
    for (const error of errors) expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_/), message: expect.any(String) });
    // Whatever it waits for comes between a tenth of a second and two hours.
    for (const delay of router.restarts) expect([delay >= 100, delay <= 7_200_000]).toEqual([true, true]);
    // A router that speaks the protocol again: what was open goes on.
    const over = client.state === "closed" || message.startsWith("[\"end\"");
    if (client.state === "closed") await client.reconnect();
    else await router.bounce();
    const frames = await router.take();
    if (!over) expect(frames.some(({ name }) => name === "sub")).toBe(true);
    const pub = frames.find(({ name }) => name === "pub");
    if (pub !== undefined) router.acknowledge([pub], 1);
    router.say(["on", sub.id, "e2", 0]);
    router.say(["ev", [sub.id], [line(7)]]);
    await settle();
    if (!over) expect(handled.at(-1)).toBe(7);
    void client.close();
    await router.clock.advance(3_600_001);
    expect([await answer, await receipt]).toEqual([expect.anything(), expect.anything()]);
  });

  test("[Limits] 5,000 messages of a router, changed at random: every failure is one of the family, and the client lives", async () => {
    const random = seeded(5);
    const lawful = (sub: number): string => JSON.stringify([
      ["ev", [sub], [line(1 + Math.floor(random() * 100)), line(200)]], ["mix", [[sub], [1, sub]], [line(1), line(2)]], ["gap", sub, { from: 1, to: 5, epoch: "e1", reason: "retention" }], ["pub", 3, 1, [1, [2]]],
      ["ok", 2, line(1)], ["err", 2, ["TimeoutError", "ERR_TIMEOUT", "x", 1, {}]], ["ask", 1, 100, line(1)], ["on", sub, "e1", 5], ["rights", { permissions: ["a"], expiresIn: 5 }], ["job", sub, 1, 1, line(3)],
      ["welcome", { v: 1, caps: [], session: "s", namespace: "default", epoch: "e1", head: 0, durability: "disk", heartbeat: 0, limits: { frame: 1_048_576, payload: 262_144, batch: 500, windowEvents: 256, windowSize: 1_048_576 } }],
    ][Math.floor(random() * 11)]);
    const router = new ScriptedRouter();
    const client = router.client({ timeout: "1h" });
    const errors: Error[] = [];
    client.onError((error) => errors.push(error as Error));
    client.respond("q", () => 1);
    const sub = client.on("n", () => {});
    await client.connect();
    for (let i = 0; i < 5_000; i++) {
      router.raw(mutate(lawful(sub.id), random));
      if (i % 50 === 0) await settle();
      if (client.state === "closed") client.reconnect().catch(() => {});
      else if (i % 500 === 0) await router.bounce();
    }
    await settle();
    expect(errors.filter((error) => !(error as { code?: string }).code?.startsWith("ERR_"))).toEqual([]);
    expect(errors.length).toBeGreaterThan(100);
    void client.close();
    await router.clock.advance(3_600_001);
  });
});

describe("over a real socket", () => {
  let server: WebSocketServer;
  let greet: (socket: WebSocket) => void = () => {};
  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 0 });
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.once("message", () => greet(socket));
    });
    await once(server, "listening");
  });
  afterEach(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const connect = (): { client: EventRouterClient; errors: unknown[] } => {
    const errors: unknown[] = [];
    const client = new EventRouterClient({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, timeout: 1_000, reconnect: { minDelay: 1, maxDelay: 5 } });
    client.onError((error) => errors.push(error));
    return { client, errors };
  };
  const welcome = JSON.stringify(["welcome", { v: 1, caps: [], session: "s", namespace: "default", epoch: "e1", head: 0, durability: "disk", heartbeat: 0, limits: { frame: 1_048_576, payload: 262_144, batch: 500, windowEvents: 256, windowSize: 1_048_576 } }]);

  test.each<[what: string, attack: (socket: WebSocket) => void]>([
    ["32 MiB of nothing", (socket) => socket.send("a".repeat(32 * 1024 * 1024))],
    ["32 MiB of binary", (socket) => socket.send(Buffer.alloc(32 * 1024 * 1024))],
    ["a welcome in 60,000 pieces of a byte, never ended", (socket) => { for (let i = 0; i < 60_000; i++) socket.send(" ", { fin: false }); }],
    ["bytes that are no UTF-8", (socket) => (socket as unknown as { _socket: { write(data: Uint8Array): void } })._socket.write(Buffer.from([0x81, 0x02, 0xc3, 0x28]))],
    ["a frame of a made-up kind", (socket) => (socket as unknown as { _socket: { write(data: Uint8Array): void } })._socket.write(Buffer.from([0x8b, 0x00]))],
    ["a page of another server", (socket) => socket.send("<!doctype html>")],
    ["1,000 closes in a row", (socket) => socket.close(4_999, "no")],
    ["a bye without an end of byes", (socket) => socket.send('["bye",["ConnectionError","ERR_X","again",1,{"retryAfter":0}]]')],
  ])("[Limits] %s: it tries again, and is there when the router is", async (_, attack) => {
    let attacks = 0;
    greet = (socket) => {
      if (attacks++ < 2) attack(socket);
      else socket.send(welcome);
    };
    const { client, errors } = connect();
    // Nothing at all may be said for as long as the client waits for a welcome.
    for (let tries = 0; client.state !== "connected" && tries < 20; tries++) await client.connect().catch(() => {});
    expect(client.state).toBe("connected");
    for (const error of errors) expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    await client.close();
  });
});
