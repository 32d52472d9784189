import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ConflictError, EventRouterClient } from "../../src/index.ts";
import { serve } from "../../src/hosts/server.ts";

const WRITERS = 64;
const APPENDS = 10_000;

const folder = mkdtempSync(join(tmpdir(), "event-router-writers-"));
afterAll(() => rmSync(folder, { recursive: true }));

test(`${WRITERS} writers on one stream, ${APPENDS} appends: versions consecutive, one winner each, losers are told the actual version`, async () => {
  await using server = await serve({ port: 0, store: `sqlite:${join(folder, "writers.db")}` });
  await using clients = new AsyncDisposableStack();
  const winners: string[] = [];
  let lost = 0;
  let appends = 0;
  // All of them are there before one begins: so each but one loses the first round, and the winner's next finds the others at its heels.
  const all = await Promise.all(Array.from({ length: WRITERS }, async () => {
    const client = clients.use(new EventRouterClient({ url: server.url, timeout: "5m" }));
    await client.connect();
    return client;
  }));
  const write = async (client: EventRouterClient, writer: number): Promise<void> => {
    let version: number | "no-stream" = "no-stream";
    while (appends < APPENDS) {
      appends++;
      try {
        const [receipt] = await client.publishEvents([{ type: "written", payload: writer, stream: "shared" }], { expect: { stream: "shared", version } });
        const won: number = receipt!.version!;
        expect(won).toBe(version === "no-stream" ? 0 : version + 1);
        // Nobody else has won it.
        expect(winners[won]).toBe(undefined);
        winners[won] = `${writer} ${receipt!.id}`;
        version = won;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        lost++;
        const actual = error.details.actualVersion as number;
        expect(actual, "a loser learns of a version that is further than it knew").toBeGreaterThan(version === "no-stream" ? -1 : version);
        version = actual;
      }
    }
  };
  await Promise.all(all.map(write));

  const client = clients.use(new EventRouterClient({ url: server.url }));
  const stored = await client.eventStream("shared").read();
  expect(stored.map(({ version }) => version)).toEqual(stored.map((_, version) => version));
  expect(stored.map(({ payload, id }) => `${payload as number} ${id}`)).toEqual(winners);
  expect([stored.length + lost, lost >= WRITERS - 1]).toEqual([appends, true]);
});
