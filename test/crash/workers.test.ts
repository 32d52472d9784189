import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as passed } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { EventRouterClient, ManagementAgent } from "../../src/index.ts";
import { serve } from "../../src/hosts/server.ts";
import { seeded } from "../support/fake-surroundings.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const EVENTS = 10_000;
const ACK_TIMEOUT = 1_000;
const script = fileURLToPath(new URL("worker-process.ts", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "event-router-workers-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Try { readonly worker: number; readonly attempt: number; readonly at: number }

/** Worker processes, and what they say. */
class Crew implements AsyncDisposable {
  readonly begun = new Map<number, Try[]>();
  readonly ended = new Map<number, Try[]>();
  readonly #url: string;
  readonly #all = new Map<number, ChildProcess>();
  #last = 0;

  constructor(url: string) {
    this.#url = url;
  }

  get workers(): number[] { return [...this.#all.keys()]; }

  async hire(): Promise<number> {
    const worker = ++this.#last;
    const child = spawn(process.execPath, [script, this.#url, String(ACK_TIMEOUT)], { stdio: ["ignore", "pipe", "inherit"] });
    this.#all.set(worker, child);
    const ready = Promise.withResolvers<void>();
    createInterface({ input: child.stdout! }).on("line", (line) => {
      if (line === "ready") return ready.resolve();
      const [what, seq, attempt, at] = line.split(" ");
      const log = what === "begin" ? this.begun : this.ended;
      log.set(Number(seq), [...log.get(Number(seq)) ?? [], { worker, attempt: Number(attempt), at: Number(at) }]);
    });
    await ready.promise;
    return worker;
  }

  async kill(worker: number): Promise<void> {
    const child = this.#all.get(worker)!;
    this.#all.delete(worker);
    child.kill("SIGKILL");
    await once(child, "close");
  }

  /** Stands still with its connection open, as a process in a debugger does. */
  freeze(worker: number): void {
    this.#all.get(worker)!.kill("SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => this.kill(worker)));
  }
}

test(`[P2] [I10] [I11] a group of 3 worker processes on ${EVENTS} events, one killed (-9) each second and one frozen: none lost, each acked once`, async () => {
  const random = seeded(SEED);
  await using server = await serve({ port: 0, store: `sqlite:${join(folder, "workers.db")}` });
  await using crew = new Crew(server.url);
  await Promise.all([crew.hire(), crew.hire(), crew.hire()]);
  await using client = new EventRouterClient({ url: server.url });
  const manager = new ManagementAgent(client);
  const figures = async () => (await manager.listSubscriptions()).find(({ group }) => group === "workers")!;

  let kills = 0;
  const publishing = (async () => {
    for (let n = 0; n < EVENTS; n += 100) await client.publishBatch(Array.from({ length: 100 }, (_, i) => ["job", n + i] as const));
  })();
  for (let frozen = false; ; ) {
    await passed(1_000);
    const { lag } = await figures();
    if (lag === 0 && kills >= 3) break;
    const [worker] = crew.workers.toSorted(() => random() - 0.5);
    if (!frozen && kills === 2) {
      // Frozen first: its events come back by the clock, not by the socket.
      frozen = true;
      crew.freeze(worker!);
      await passed(ACK_TIMEOUT);
    }
    await crew.kill(worker!);
    kills++;
    await crew.hire();
  }
  await publishing;

  const { acked, redelivered, dead, lag } = await figures();
  expect({ seed: SEED, acked, dead, lag, deadLetters: (await manager.getStats()).deadLetters }).toEqual({ seed: SEED, acked: EVENTS, dead: 0, lag: 0, deadLetters: 0 });
  const seqs = Array.from({ length: EVENTS }, (_, n) => n + 1);
  expect(seqs.filter((seq) => !crew.ended.has(seq)), "events that no handler finished").toEqual([]);
  // Another try is never taken for the first.
  expect(seqs.filter((seq) => new Set(crew.begun.get(seq)!.map(({ attempt }) => attempt)).size !== crew.begun.get(seq)!.length)).toEqual([]);
  const waits = [...crew.begun.values()].filter(({ length }) => length > 1).map((tries) => tries[1]!.at - tries[0]!.at);
  expect(redelivered).toBeGreaterThan(0);
  console.log(`${kills} kills, ${redelivered} redeliveries; from a try that died to the next: at most ${Math.max(0, ...waits)} ms (ackTimeout ${ACK_TIMEOUT} ms); handled twice: ${[...crew.ended.values()].filter(({ length }) => length > 1).length}`);
});
