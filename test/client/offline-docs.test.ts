import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { serve } from "../../src/hosts/server.ts";
import { EventRouterClient, type EventRouterOptions } from "../../src/index.ts";
import { memoryStore } from "../../src/router.ts";

const examples = [...readFileSync("docs/offline.md", "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

test("the examples of docs/offline.md do what they say", async () => {
  const server = await serve({ port: 0, store: "memory" });
  const store = memoryStore({ randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) });
  const said: unknown[] = [];
  const run = async (code: string): Promise<void> => {
    const script = code.replace(/^import .*$/gm, "").replace('url: "wss://events.example.com", offline: true', "").replace('"evt_…"', "id");
    await (Object.getPrototypeOf(async () => {}).constructor as FunctionConstructor)("EventRouterClient", "console", "badge", "show", "client", "id", script.replace("const client = ", "client ??= "))(
      EventRouterClient, { log: (...what: unknown[]) => said.push(what) }, () => {}, (event: { payload: unknown }, pending: unknown) => said.push([event.payload, pending]), client, "none");
  };
  const options: EventRouterOptions = { url: server.url, offline: { store } };
  const client = new EventRouterClient(options);
  for (const code of examples) await run(code);
  expect(said).toEqual([[expect.stringMatching(/queued|published/), ], ["published", 1]]);
  await client.publish("note.x", 1);
  await expect.poll(() => said.length).toBe(3);
  await client.close();
  await server.close();
});
