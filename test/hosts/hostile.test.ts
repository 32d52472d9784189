import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createApiKey } from "../../src/auth/api-keys.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { errorsOf } from "../support/errors-of.ts";
import { RawSocket } from "../support/raw-socket.ts";

// One server for all of it: what one does must not be felt by the next.
const keys = await createApiKey({ id: "shop", permissions: ["admin"] });
const complaints: unknown[] = [];
let server: RunningServer;
let bystander: RawSocket;
beforeAll(async () => {
  server = await serve({ port: 0, limits: { helloTime: 1_500 }, auth: { apiKeys: [keys.entry] }, logger: { info: () => {}, error: (...what) => complaints.push(what) } });
  bystander = await open();
  bystander.say('["sub",1,{"topics":["bystander"]}]');
  await bystander.heard();
});
afterAll(async () => {
  await bystander.close();
  await server.close();
});

const socketUrl = (): string => `${server.url.replace("http", "ws")}/ws`;
/** Who is too slow for his hello comes again, as a client does. */
async function open(): Promise<RawSocket> {
  for (;;) {
    const socket = await RawSocket.open(socketUrl());
    socket.say(JSON.stringify(["hello", { v: 1, auth: { type: "api_key", key: keys.key } }]));
    while (socket.frames.length === 0 && socket.closed === undefined) await socket.heard();
    if (socket.frames[0]?.[0] === "welcome") return socket;
    if (socket.frames.length > 0) expect(socket.frames[0]).toMatchObject(["bye", [expect.any(String), "ERR_HELLO_TIMEOUT"]]);
  }
}
const headers = { "x-api-key": keys.key, "content-type": "application/json" };
const post = (body: string, path = "/api/v1/events"): Promise<Response> => fetch(`${server.url}${path}`, { method: "POST", headers, body });
const get = (path: string): Promise<Response> => fetch(`${server.url}${path}`, { headers, signal: AbortSignal.timeout(120_000) });

/** The server is well, nobody's prototype was touched, and who is served was served: an event reaches the bystander. */
let served = 0;
async function unharmed(): Promise<void> {
  const before = bystander.frames.length;
  expect((await post(`{"type":"bystander","payload":${++served}}`)).status).toBe(201);
  while (bystander.frames.length === before) await bystander.heard();
  bystander.say(`["ack",${bystander.received},1,${served}]`);
  expect({} as Record<string, unknown>).not.toHaveProperty("polluted");
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("polluted");
  expect([bystander.closed, complaints]).toEqual([undefined, []]);
}

const text = JSON.stringify;
const nested = (open: string, close: string): string => open.repeat(200_000) + close.repeat(200_000);
const manyKeys = `{${Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":0`).join(",")}}`;
/** Texts that mean something to somebody on the way: a header, a path, a terminal, a comparison. */
const names: readonly (readonly [what: string, name: string])[] = [
  ["CR/LF", "a\r\nX-Injected: 1"], ["a line feed", "a\nb"], ["NUL", "a\0b"], ["..", "../../etc/passwd"], ["a dot too many", "a..b"], ["a unicode twin", "оrder.placed"], ["full width", "ａ.ｂ"],
  ["a combining mark", "order.place\u0301d"], ["right to left", "a\u202eb"], ["a lone surrogate", "a\ud800"], ["a zero-width space", "a\u200bb"], ["a byte order mark", "\ufeffa"], ["an escape sequence", "a\u001b[2Jb"],
  ["__proto__ as an object", "a.__proto__.\u0000"], ["a percent sign", "a%2e%2eb"], ["an overlong name", "a".repeat(300)], ["a router's own name", "$dead.open"], ["wildcards", "a.*"],
];
/** Of those, what may be asked for in a query: who manages reads the router's own names one by one; and space around a pattern is none of it. */
const LAWFUL = ["wildcards", "a router's own name", "a byte order mark"];
const bodies: readonly (readonly [what: string, payload: string])[] = [
  ["200,000 nested arrays", nested("[", "]")], ["200,000 nested objects", nested('{"":', "}").replace("}", "0}")], ["200,000 open brackets", "[".repeat(200_000)],
  ["100,000 keys", manyKeys],
];
const meta: readonly (readonly [what: string, json: string])[] = [
  ["__proto__ as a field", '{"__proto__":{"polluted":1}}'], ["__proto__ as a header", '{"headers":{"__proto__":"x"}}'], ["constructor as a field", '{"constructor":{"prototype":{"polluted":1}}}'],
  ["CR/LF in a header's value", '{"headers":{"x":"a\\r\\nb"}}'], ["NUL in a header's value", '{"headers":{"x":"a\\u0000b"}}'], ["CR/LF in a header's name", '{"headers":{"a\\r\\nb":"x"}}'], ["NUL in the source", '{"source":"a\\u0000"}'],
  ["100,000 headers", `{"headers":${manyKeys.replaceAll(":0", ':""')}}`], ["a publisher of its own", '{"publisher":{"subject":"root"}}'], ["a seq of its own", '{"seq":1}'], ["a time of its own", '{"timestamp":"2020-01-01T00:00:00Z"}'],
];
const filters: readonly (readonly [what: string, filter: string])[] = [
  ["200,000 nested $not", nested('{"$not":', "}").replace("}", "{}}")], ["200,000 nested $and", nested('{"$and":[', "]}")], ["100,000 conditions", manyKeys], ["__proto__ in a path", '{"payload.__proto__.polluted":1}'], ["__proto__ as a key", '{"__proto__":{"polluted":1}}'],
  ["constructor in a path", '{"payload.constructor.prototype.polluted":1}'], ["$where", '{"$where":"1"}'], ["an expression with exponential states", '{"payload":{"$regex":"(a|b)*a(a|b){200}c"}}'], ["an expression that backtracks", '{"payload":{"$regex":"^(a+)+$"}}'],
  ["an expression spelled out", '{"payload":{"$regex":"((a{100}){100}){100}"}}'], ["a look-around", '{"payload":{"$regex":"(?=a)"}}'], ["1,000 brackets", `{"payload":{"$regex":"${"(".repeat(1_000)}"}}`],
];

/** What a frame may be answered with: an error of ours, or the end. Never silence and never a fault of the router. */
async function refusedBy(socket: RawSocket, message: string): Promise<string[]> {
  socket.say(message);
  await socket.heard();
  if (socket.closed === undefined) await socket.heard();
  const codes = socket.frames.flatMap((frame) => errorsOf(frame)).map(([, code]) => code);
  expect(codes).not.toContain("ERR_INTERNAL");
  return codes;
}

describe("WebSocket", () => {
  test.each(names)("[Limits] a type with %s is refused", async (_, name) => {
    const socket = await open();
    const codes = await refusedBy(socket, `["pub",1,1]\n${text(["e", name, 1])}`);
    expect(codes).toEqual([expect.stringMatching(/^ERR_TYPE$/)]);
    await socket.close();
    await unharmed();
  });
  test.each(names.filter(([what]) => what !== "wildcards" && what !== "a router's own name"))("[Limits] a pattern with %s is refused", async (_, name) => {
    const socket = await open();
    expect(await refusedBy(socket, text(["sub", 1, { topics: [name] }]))).toEqual(["ERR_PATTERN"]);
    expect((await refusedBy(socket, text(["serve", 2, [name]])))[1]).toBe("ERR_PATTERN");
    await socket.close();
  });
  test.each([...bodies])("[Limits] a payload of %s is refused", async (_, payload) => {
    const socket = await open();
    expect((await refusedBy(socket, `["pub",1,1]\n["e","a",${payload}]`)).length).toBe(1);
    await socket.close();
    await unharmed();
  });
  test.each([...meta])("[Limits] an event with %s is refused", async (_, json) => {
    const socket = await open();
    expect(await refusedBy(socket, `["pub",1,1]\n["e","a",1,${json}]`)).toEqual([expect.stringMatching(/^ERR_(META|HEADERS)$/)]);
    await socket.close();
    await unharmed();
  });
  test.each([...filters])("[Limits] a filter of %s is refused, or harmless", async (_, filter) => {
    const socket = await open();
    const codes = await refusedBy(socket, `["sub",1,{"topics":["evil"],"filter":${filter}}]`);
    expect(codes.every((code) => /^ERR_(FILTER|FILTER_TOO_LARGE|REGEX|FRAME|FRAME_TOO_LARGE)$/.test(code))).toBe(true);
    if (codes.length === 0) await post(text({ type: "evil", payload: "ab".repeat(60_000) }));
    await socket.close();
    await unharmed();
  });
  test.each([
    ["a frame of 200,000 levels", nested("[", "]")], ["a hello of 200,000 levels", `["hello",{"v":1,"auth":${nested("[", "]").slice(0, 7_000)}}]`], ["a frame with __proto__", '["sub",1,{"__proto__":{"topics":["a"]}}]'], ["a call with 200,000 levels", `["call",1,"read",{"topics":${nested("[", "]")}}]`],
    ["a call of __proto__", '["call",1,"__proto__"]'], ["a call of constructor", '["call",1,"constructor",{}]'], ["a frame called __proto__", '["__proto__",1]'], ["a mode of __proto__", '["pub",1,1,{"__proto__":{"as":"all"},"as":"toString"}]\n["e","a",1]'],
  ] as const)("[Limits] %s ends that session or is refused", async (_, message) => {
    const socket = await open();
    expect((await refusedBy(socket, message)).length).toBeGreaterThan(0);
    await socket.close();
    await unharmed();
  });
  test.each([
    ["32 MiB", Buffer.alloc(32 * 1024 * 1024, 0x61)], ["1 MiB and a byte", Buffer.alloc(1024 * 1024 + 1, 0x61)],
  ] as const)("[Limits] a message of %s ends its connection before it is read whole", async (_, bytes) => {
    const socket = await open();
    socket.sayBytes(bytes, false);
    while (socket.closed === undefined) await socket.heard();
    expect(socket.closed).toBe(1009);
    await unharmed();
  });

  test("[Limits] nothing is compressed, whatever a peer offers", async () => {
    const socket = new WebSocket(socketUrl(), { perMessageDeflate: true });
    const [response] = (await once(socket, "upgrade")) as [IncomingMessage];
    expect(response.headers["sec-websocket-extensions"]).toBeUndefined();
    socket.terminate();
  });

  /** A socket that has upgraded, and what it hears. */
  async function upgraded(): Promise<{ socket: Socket; closed: Promise<Buffer> }> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(`GET /ws HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`);
    await once(socket, "data");
    const heard: Buffer[] = [];
    socket.on("data", (data: Buffer) => {
      heard.push(data);
      // Asked to close, it does not answer, as a hostile one would not.
    });
    return { socket, closed: new Promise((resolve) => { socket.on("close", () => resolve(Buffer.concat(heard))); }) };
  }
  /** A client's frame of one byte (RFC 6455, 5.2), masked with zeros. */
  const piece = (first: boolean, last: boolean): Buffer => Buffer.from([(last ? 0x80 : 0) | (first ? 1 : 0), 0x81, 0, 0, 0, 0, 0x20]);

  test("[Limits] a message in more than 256 pieces of a byte ends its connection; 256 are read", async () => {
    for (const [pieces, ends] of [[257, 1008], [256, 4400]] as const) {
      const { socket, closed } = await upgraded();
      socket.write(Buffer.concat(Array.from({ length: pieces }, (_, i) => piece(i === 0, i === pieces - 1))));
      const heard = await closed;
      expect(heard.readUInt16BE(heard.lastIndexOf(0x88) + 2)).toBe(ends);
    }
    await unharmed();
  });
  test("[Limits] what arrives byte by byte is waited for no longer than a hello", async () => {
    const { socket, closed } = await upgraded();
    socket.setNoDelay(true);
    // A frame of 1,000 bytes, of which one comes now and then.
    socket.write(Buffer.from([0x81, 0xfe, 0x03, 0xe8, 0, 0, 0, 0]));
    const timer = setInterval(() => socket.write(Buffer.from([0x20])), 100);
    const heard = await closed;
    clearInterval(timer);
    expect(heard.toString()).toContain("ERR_HELLO_TIMEOUT");
    await unharmed();
  });
  test("[Limits] [P11] 5,000 sockets that say nothing and a flood of wrong hellos: who is served is served, and all of them are gone in time", async () => {
    const idle = await Promise.all(Array.from({ length: 5_000 }, () => upgraded()));
    await unharmed();
    let refused = 0;
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 50; i++) {
        const socket = await RawSocket.open(socketUrl());
        socket.say(text(["hello", { v: 1, auth: { type: "api_key", key: `shop.${i}` } }]));
        while (socket.closed === undefined) await socket.heard();
        // 4408: on a busy machine the hello came too late.
        if (socket.closed === 4401 || socket.closed === 4408) refused++;
      }
    }));
    expect(refused).toBe(400);
    await unharmed();
    await Promise.all(idle.map(({ closed }) => closed));
    await expect.poll(() => server.router.stats().get("default")!.connections).toBeLessThan(10);
    await unharmed();
  });
});

describe("REST", () => {
  const refused = async (response: Promise<Response>): Promise<string> => {
    const { status, body, headers: answered } = await response.then(async (one) => ({ status: one.status, headers: one.headers, body: (await one.json()) as { code: string } }));
    expect([status >= 400 && status < 500, answered.get("content-type"), answered.get("x-injected")]).toEqual([true, "application/problem+json", null]);
    return body.code;
  };
  test.each(names)("[Limits] a type with %s is refused", async (what, name) => {
    expect(await refused(post(text({ type: name })))).toBe("ERR_TYPE");
    if (!LAWFUL.includes(what)) expect(await refused(get(`/api/v1/events?topics=${encodeURIComponent(name.toWellFormed())}`))).toBe("ERR_PATTERN");
    expect(await refused(post(text({ type: "a", id: name.padEnd(300, " ") })))).toBe("ERR_EVENT_ID");
    expect(await refused(post(text({ type: "a" }), `/api/v1/events?namespace=${encodeURIComponent(`${name.toWellFormed()} /`)}`))).toBe("ERR_NAME");
    await unharmed();
  });
  test.each([...bodies])("[Limits] a payload of %s is refused", async (_, payload) => {
    expect(await refused(post(`{"type":"a","payload":${payload}}`))).toMatch(/^ERR_(PAYLOAD_DEPTH|PAYLOAD_TOO_LARGE|JSON|BODY_TOO_LARGE)$/);
    expect(await refused(post(payload))).toMatch(/^ERR_(BODY|JSON|BODY_TOO_LARGE|BATCH_TOO_LARGE|PAYLOAD_DEPTH)$/);
    await unharmed();
  });
  test.each([...meta])("[Limits] an event with %s is refused", async (_, json) => {
    expect(await refused(post(`{"type":"a",${json.slice(1)}`))).toMatch(/^ERR_(BODY|HEADERS|META|JSON|BODY_TOO_LARGE)$/);
    await unharmed();
  });
  test.each([...filters].filter(([, filter]) => filter.length < 8_000))("[Limits] a filter of %s is refused, or harmless", async (_, filter) => {
    const response = await get(`/api/v1/events?topics=evil&filter=${encodeURIComponent(filter)}`);
    expect([200, 400]).toContain(response.status);
    await response.text();
    await unharmed();
  });
  test.each([
    ["a body of 32 MiB", () => refused(post(`{"type":"a","payload":"${"a".repeat(32 * 1024 * 1024)}"}`)), "ERR_BODY_TOO_LARGE"],
    ["a path with ..", () => refused(get("/api/v1/%2e%2e/%2e%2e/etc/passwd")), "ERR_NOT_FOUND"],
    ["a path with a NUL", () => refused(get("/api/v1/events%00")), "ERR_NOT_FOUND"],
    ["a header that is two", () => refused(fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { ...headers, "idempotency-key": "x".repeat(256) }, body: '{"type":"a"}' })), "ERR_IDEMPOTENCY_KEY"],
    ["a form of another page", () => refused(fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { ...headers, "content-type": "text/plain" }, body: '{"type":"a"}' })), "ERR_MEDIA_TYPE"],
    ["a page of nobody (null)", () => refused(fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { ...headers, origin: "null" }, body: '{"type":"a"}' })), "ERR_ORIGIN"],
  ] as const)("[Limits] %s is refused", async (_, call, code) => {
    expect(await call()).toBe(code);
    await unharmed();
  });
  test.each([
    ["a header without end", `GET /api/v1/events HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(40_000)}`], ["100,000 headers", `GET /api/v1/events HTTP/1.1\r\nHost: a\r\n${"X: a\r\n".repeat(100_000)}\r\n`],
    ["two lengths", "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"], ["a length and chunks", "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a bare CR", "GET /api/v1/events HTTP/1.1\rHost: a\r\r"], ["a line feed alone", "GET /api/v1/events HTTP/1.1\nHost: a\n\n\0"], ["no HTTP at all", "\u0016\u0003\u0001\u0002\u0000"],
  ] as const)("[Limits] %s is answered with an error or a closed door", async (_, bytes) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    const heard: string[] = [];
    socket.on("data", (data: Buffer) => heard.push(data.toString()));
    const closed = new Promise((resolve) => { socket.on("close", resolve); });
    socket.end(bytes);
    await closed;
    expect(heard.join("")).toMatch(/^(|HTTP\/1\.1 (4\d\d|5\d\d) [\s\S]*)$/);
    await unharmed();
  });
});

describe("SSE", () => {
  const stream = async (query: string): Promise<[number, string]> => {
    const response = await get(`/api/v1/events/stream?${query}`);
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return [response.status, new TextDecoder().decode(value)];
  };
  test.each(names.filter(([what]) => !LAWFUL.includes(what)))("[Limits] a pattern with %s is refused", async (_, name) => {
    const [status] = await stream(`topics=${encodeURIComponent(name.toWellFormed())}`);
    expect(status).toBe(400);
    await unharmed();
  });
  test.each([...filters].filter(([, filter]) => filter.length < 8_000))("[Limits] a filter of %s is refused, or harmless", async (_, filter) => {
    const [status] = await stream(`topics=evil&from=start&filter=${encodeURIComponent(filter)}`);
    expect([200, 400]).toContain(status);
    await unharmed();
  });
  test.each([["CR/LF", "a\r\nb"], ["NUL", "a\0b"], ["a made-up id", "epoch:1:2"], ["a number without end", `e:${"9".repeat(300)}`], ["__proto__", "__proto__:1"], ["10,000 characters", "a".repeat(10_000)]])("[Limits] a last id of %s is refused, or met by a gap", async (_, id) => {
    const [status, said] = await stream(`topics=a&last_event_id=${encodeURIComponent(id)}`);
    expect([200, 400, 431]).toContain(status);
    expect(said).not.toContain("\r\nb");
    await unharmed();
  });
  test("[Limits] what an event says cannot write into the stream: line breaks, ids and names of others stay inside the JSON", async () => {
    await post(text({ type: "evil.sse", payload: "a\n\nevent: gap\nid: x:1\ndata: {}\r\r\u2028\u0085", source: "s", headers: { x: "data: 1" } }));
    const response = await get("/api/v1/events/stream?topics=evil.sse&from=start");
    const reader = response.body!.getReader();
    let said = "";
    while (!said.includes("data: ")) said += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    expect(said.split("\n").filter((line) => line.startsWith("event:"))).toEqual([]);
    const data = said.split("\n").filter((line) => line.startsWith("data: "));
    expect([data.length, (JSON.parse(data[0]!.slice(6)) as { payload: string }).payload]).toEqual([1, expect.stringContaining("event: gap")]);
  });
  test("[P11] a reader that stalls, and 200 that leave in the middle, hold nothing up", async () => {
    await Promise.all(Array.from({ length: 200 }, async () => {
      const response = await get("/api/v1/events/stream?topics=**&from=start");
      await response.body!.getReader().cancel();
    }));
    await unharmed();
  });
});
