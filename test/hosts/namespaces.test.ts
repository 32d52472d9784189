import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createApiKey } from "../../src/auth/api-keys.ts";
import { serve } from "../../src/hosts/server.ts";
import { TestEventSource } from "../http/event-source.ts";
import { SocketClient } from "./socket-client.ts";

const directory = await mkdtemp(join(tmpdir(), "namespaces-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What each tenant does and is told must hold this of its own, and nothing of the other's. */
const canaries = { blue: "canary-of-blue-7f3a", green: "canary-of-green-91c2" } as const;
type Tenant = keyof typeof canaries;

test.each(["memory", "sqlite"] as const)("[I16] two namespaces whose names are all equal, one server on %s: no byte crosses, by whatever door", async (store) => {
  const [blue, green, operator] = [
    await createApiKey({ id: "blue", subject: "same", namespaces: ["blue"], permissions: ["admin"] }), await createApiKey({ id: "green", subject: "same", namespaces: ["green"], permissions: ["admin"] }),
    await createApiKey({ id: "operator", namespaces: ["*"], permissions: ["admin"] }),
  ];
  const keys = { blue: blue.key, green: green.key };
  await using server = await serve({ port: 0, store: store === "memory" ? "memory" : `sqlite:${join(directory, "events.db")}`, auth: { apiKeys: [blue.entry, green.entry, operator.entry] }, logger: { info: () => {}, error: () => {} } });
  const url = `${server.url.replace("http", "ws")}/ws`;
  const heard: Record<Tenant, string[]> = { blue: [], green: [] };

  const tenants = await Promise.all((["blue", "green"] as const).map(async (tenant) => {
    const auth = { type: "api_key", key: keys[tenant] } as const;
    const client = await SocketClient.connect(url, { namespace: tenant, name: "same", auth });
    client.say(
      ["sub", 1, { topics: ["**"], from: "start" }], ["sub", 2, { topics: ["**"], durable: "same" }], ["sub", 3, { topics: ["**"], group: "same", maxInFlight: 50 }], ["sub", 4, { topics: ["$dead.open"], from: "start" }], ["serve", 5, ["**"]],
    );
    await client.until(() => client.named("on").length === 5);
    const http = async (method: string, path: string, body?: unknown): Promise<string> => {
      const response = await fetch(`${server.url}${path}${path.includes("?") ? "&" : "?"}namespace=${tenant}`, { method, headers: { "x-api-key": keys[tenant], "content-type": "application/json" }, ...(body !== undefined && { body: JSON.stringify(body) }) });
      const text = await response.text();
      heard[tenant].push(text);
      return text;
    };
    const ticket = (JSON.parse(await http("POST", "/api/v1/tickets")) as { ticket: string }).ticket;
    const stream = new TestEventSource(`${server.url}/api/v1/events/stream?topics=**&from=start&namespace=${tenant}&ticket=${ticket}`);
    expect((await stream.response).statusCode).toBe(200);
    return { tenant, client, stream, http };
  }));

  // The same ids, types, streams and requests in both, at the same time.
  await Promise.all(tenants.map(async ({ tenant, client, stream, http }) => {
    const payload = { canary: canaries[tenant] };
    client.say(["pub", 1, 3], JSON.stringify(["same-1", "order.placed", payload]), JSON.stringify(["same-2", "order.placed", payload, { stream: "same" }]), JSON.stringify(["same-3", "order.paid", payload, { target: "same" }]));
    client.say(["pub", 2, 1, { as: "ephemeral" }], JSON.stringify(["same-4", "tick", payload]));
    client.say(["pub", 3, 1, { as: "later", in: 3_600_000 } as never], JSON.stringify(["same-5", "later", payload]));
    await client.until(() => client.named("pub").length === 3 && client.named("job").length >= 3);
    client.say(["req", 4, 60_000], JSON.stringify(["same-6", "ask.me", payload]));
    await client.until(() => client.named("ask").length > 0);
    client.say(["answer", client.named("ask")[0]![1]], JSON.stringify(payload));
    client.say(["call", 5, "dead", { sub: 1, seq: 1, error: { name: "Error", message: canaries[tenant] } }]);
    await client.until(() => client.named("ok").length >= 2);
    for (const [method, params] of [["read", { topics: ["**"], targets: "any" }], ["read", { topics: ["$delayed.open"] }], ["stream", { stream: "same" }], ["stats", {}], ["health", {}], ["subscriptions", {}], ["dead.list", {}]] as const) client.say(["call", 10 + heard[tenant].length, method, params]);
    await Promise.all([http("GET", "/api/v1/events"), http("GET", "/api/v1/streams/same/events"), http("GET", "/api/v1/stats"), http("GET", "/api/v1/subscriptions"), http("GET", "/api/v1/dead-letters"), http("GET", "/metrics"), http("POST", "/api/v1/requests", { type: "ask.other", payload, timeout: "50ms" })]);
    await stream.until(() => stream.events.length >= 3);
  }));
  for (const { tenant, client, stream } of tenants) {
    heard[tenant].push(...client.texts, JSON.stringify(stream.messages));
    const mine = heard[tenant].join("\n");
    const other = tenant === "blue" ? "green" : "blue";
    expect(mine.split(canaries[tenant]).length).toBeGreaterThan(15);
    expect([mine.includes(canaries[other]), mine.includes(`"${other}"`), mine.includes(keys[other].slice(6))]).toEqual([false, false, false]);
    // Neither is the other's duplicate, member, responder or durable name.
    expect(client.named("pub").find(([, req]) => req === 1)![3]).toEqual([1, 2, 3]);
    expect(client.named("end")).toEqual([]);
  }

  // A credential opens its own namespace and no other; who oversees all of them sees the figures of all.
  const closed = new SocketClient(url);
  closed.socket.on("open", () => closed.say(["hello", { v: 1, namespace: "green", auth: { type: "api_key", key: keys.blue } }]));
  expect((await closed.ended()).code).toBe(4403);
  const status = async (path: string, key: string): Promise<number> => (await fetch(`${server.url}${path}`, { headers: { "x-api-key": key } })).status;
  expect(await Promise.all([status("/api/v1/events?namespace=green", keys.blue), status("/api/v1/events", keys.blue), status("/metrics?namespace=blue", keys.blue), status("/metrics", operator.key)])).toEqual([403, 403, 403, 200]);
});
