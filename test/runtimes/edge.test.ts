import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { EventRouterClient, type RouterEvent } from "../../src/index.ts";
import { fixedPort } from "../support/fixed-port.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "event-router-edge-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `wrangler dev` as `npm run dev:edge` starts it, in a process group of its own, so that it can be killed with its workerd. */
class DevServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #port: number;
  #output = "";

  constructor(port: number) {
    this.#port = port;
    const options = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--persist-to", join(folder, "state"), "--var", "ALLOW_ANONYMOUS:true", "--show-interactive-dev-session=false"];
    this.#child = spawn(join(root, "node_modules/.bin/wrangler"), options, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" } });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.setEncoding("utf8").on("data", (text: string) => { this.#output = (this.#output + text).slice(-4_000); });
  }

  get url(): string { return `http://127.0.0.1:${this.#port}`; }

  async ready(): Promise<void> {
    while (this.#child.exitCode === null) {
      if (await fetch(`${this.url}/health`).then(({ ok }) => ok, () => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`wrangler ended: ${this.#output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    process.kill(-this.#child.pid!, "SIGKILL");
    await once(this.#child, "close");
  }
}

test("[P1] [P2] [P4] wrangler dev, as docs/edge.md starts it: curl, the page and a client; kill -9 of workerd under load loses no acknowledged event", async () => {
  const port = await fixedPort();
  const acked = new Map<string, number>();
  await using clients = new AsyncDisposableStack();
  {
    await using server = new DevServer(port);
    await server.ready();
    // The guide's own lines.
    const [, curl] = /curl -X POST[^\n]*-d '([^']+)'/.exec(readFileSync(join(root, "docs/edge.md"), "utf8"))!;
    const posted = await fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "Content-Type": "application/json" }, body: curl! });
    expect([posted.status, await posted.json()]).toMatchObject([201, { status: "published", seq: 1 }]);
    expect(await (await fetch(`${server.url}/api/v1/stats`)).json()).toMatchObject({ head: 1, edge_wakes: 1, edge_prices_of: expect.any(String) as string });
    expect([(await fetch(server.url)).headers.get("content-type"), (await fetch(`${server.url}/ws`)).status]).toEqual(["text/html; charset=utf-8", 426]);

    const client = clients.use(new EventRouterClient({ url: server.url, timeout: "60s", reconnect: { minDelay: 20, maxDelay: 200 }, logger: { error() {} } }));
    let over = false;
    const publishing = Promise.all(Array.from({ length: 20 }, async () => {
      while (!over) {
        const { id, seq } = await client.publish("load", "x".repeat(100));
        acked.set(id, seq!);
      }
    }));
    while (acked.size < 500) await new Promise(setImmediate);
    over = true;
    // With publishes on their way: they are answered by the next life, under the same ids.
    await server[Symbol.asyncDispose]();
    await using again = new DevServer(port);
    await again.ready();
    await publishing;
    const events: RouterEvent[] = [];
    const all = Promise.withResolvers<void>();
    const reader = clients.use(new EventRouterClient({ url: again.url }));
    await reader.subscribe({ topics: "load", from: "start", handler: (event) => {
      if (events.push(event) >= acked.size) all.resolve();
    } });
    await all.promise;
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 2));
    const there = new Map(events.map(({ id, seq }) => [id, seq]));
    expect([...acked].filter(([id, seq]) => there.get(id) !== seq)).toEqual([]);
    await clients.disposeAsync();
  }
});
