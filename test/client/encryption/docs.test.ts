import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { compactDecrypt, CompactEncrypt } from "jose";
import { expect, test } from "vitest";
import { serve } from "../../../src/hosts/server.ts";
import { EventRouterClient, type RouterEvent } from "../../../src/index.ts";
import { bytesOf, KEY } from "./kit.ts";

const text = readFileSync(new URL("../../../docs/encryption.md", import.meta.url), "utf8");
const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

/** Runs an example with what it takes for granted, and returns a variable of it. */
function run<T>(example: string, given: Readonly<Record<string, unknown>>, result: string): Promise<T> {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the page's own examples
  const program = new Function(...Object.keys(given), `return (async () => { ${example}\nreturn ${result}; })()`) as (...values: unknown[]) => Promise<T>;
  return program(...Object.values(given));
}

test("the examples of docs/encryption.md run, and what is in the store is what it says", async () => {
  expect(examples).toHaveLength(2);
  const server = await serve({ port: 0 });
  try {
    const shown: unknown[] = [];
    await using eve = new EventRouterClient({ url: server.url });
    const seen: RouterEvent[] = [];
    await eve.subscribe("**", (event) => void seen.push(event));
    await using client = await run<EventRouterClient>(examples[0]!, { EventRouterClient, url: server.url, key: KEY, console: { log: (payload: unknown) => shown.push(payload) } }, "client");
    await client.publish("patient.admitted", { age: 17 });
    await client.publish("patient.admitted", { age: 18 });
    while (shown.length < 2 || seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(shown).toEqual([{ name: "Ada", age: 36 }, { age: 18 }]);
    const event = seen[0]!;
    expect(await run(examples[1]!, { compactDecrypt, event, keyBytes: bytesOf(KEY) }, "payload")).toEqual({ name: "Ada", age: 36 });
    const header = /^1\. \*\*Protected header\*\*, JSON: `(.*)`$/m.exec(text)![1]!;
    // White space, which makes its length even, is nothing.
    expect(Buffer.from((event.payload as string).split(".")[0]!, "base64url").toString().replaceAll(" ", "")).toBe(header.replace("2026-11", "default").replace("order.placed", "patient.admitted").replace("evt_…", event.id));
    expect((event.payload as string).split(".").slice(1).map((part) => Buffer.from(part, "base64url").length)).toEqual([40, 12, '{"name":"Ada","age":36}'.length, 16]);
  } finally {
    await server.close();
  }
});

test("who has a JOSE library and an HTTP client can write", async () => {
  const server = await serve({ port: 0 });
  try {
    await using client = new EventRouterClient({ url: server.url, encryption: { keys: { "2026-11": KEY }, required: ["**"] } });
    const got = new Promise<RouterEvent>((resolve) => { client.on("order.placed", { from: "start" }, resolve); });
    const header = { typ: "event-router+jwe", alg: "A256KW", enc: "A256GCM", kid: "2026-11", ns: "default", type: "order.placed", id: "order-17" };
    const payload = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ total: 9 }))).setProtectedHeader(header).encrypt(bytesOf(KEY));
    const response = await fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id: header.id, type: header.type, payload }) });
    expect(response.status).toBe(201);
    expect(await got).toMatchObject({ id: "order-17", type: "order.placed", payload: { total: 9 } });
  } finally {
    await server.close();
  }
});

const python = spawnSync("python3", ["-c", "import cryptography"]).status === 0;

if (python) test("the Python of docs/encryption.md opens what a client has encrypted, and nothing under another id", async () => {
  await using server = await serve({ port: 0 });
  await using client = new EventRouterClient({ url: server.url, encryption: { keys: { "2026-11": KEY } } });
  await client.publish("patient.admitted", { name: "Åda", age: 36 });
  const { events: [event] } = (await (await fetch(`${server.url}/api/v1/events`)).json()) as { events: { id: string }[] };
  const program = `${/```python\n([\s\S]*?)```/.exec(text)![1]!}\nimport sys\nevent, key = json.loads(sys.argv[1])\nprint(json.dumps(open_payload(event, "default", {"2026-11": base64.b64decode(key)})))\n`;
  const open = (one: unknown): string => execFileSync("python3", ["-c", program, JSON.stringify([one, KEY])], { encoding: "utf8", stdio: "pipe" });
  expect(JSON.parse(open(event))).toEqual({ name: "Åda", age: 36 });
  expect(() => open({ ...event, id: "evt_other" })).toThrow(/AssertionError/);
});
