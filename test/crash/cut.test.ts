import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventRouterClient, EventRouterError } from "../../src/index.ts";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { cutProxy, type Direction, type Passing, type Verdict } from "../support/cut-proxy.ts";
import { violations } from "../support/history.ts";
import { logOf } from "../support/recorded-log.ts";
import { Recorder } from "../support/recorder.ts";

const folder = mkdtempSync(join(tmpdir(), "event-router-cut-"));
let server: RunningServer;
let namespaces = 0;
beforeAll(async () => {
  // A small window, so that the session's few events need acks.
  server = await serve({ port: 0, store: `sqlite:${join(folder, "cut.db")}`, limits: { windowEvents: 8 } });
});
afterAll(async () => {
  await server.close({ timeout: 100 });
  rmSync(folder, { recursive: true });
});

interface Outcome { readonly frames: Readonly<Record<Direction, number>>; readonly cuts: number; readonly late: number }

/** A session that says everything the protocol has, over a connection that breaks. Checks what all concerned have seen. */
async function session(what: string, decide: (passing: Passing) => Verdict): Promise<Outcome> {
  const namespace = `cut${++namespaces}`;
  const logger = { error: () => {} };
  await using proxy = await cutProxy(server.port, decide);
  await using direct = new EventRouterClient({ url: server.url, namespace, logger });
  await using client = new EventRouterClient({ url: proxy.url, namespace, logger, reconnect: { minDelay: 1, maxDelay: 4 } });
  // Whoever is not told that the connection is dead finds out for himself.
  void proxy.held.then(() => void client.reconnect());
  const recorder = new Recorder();
  const publish = (...types: readonly string[]) => Promise.all(types.map((type) => recorder.publish(client, "client", type)));

  const all = recorder.reading("all", ["s.*", "tx.**"]);
  const some = recorder.reading("some", ["s.a", "tx.**"]);
  const wide = client.on(all.topics, { from: "start" }, all.handler);
  wide.onGap(all.gap);
  await wide.ready;
  const narrow = await client.subscribe(some.topics, { concurrency: 3 }, async (event) => {
    some.handler(event);
    // Some are at work when the connection breaks, while later ones are done: what comes again of these must not be started again.
    if (event.seq % 3 === 1) await passed(10);
  });
  narrow.onGap(some.gap);

  await publish("s.a");
  await recorder.publish(direct, "other", "s.a");
  await publish("s.a", "s.b", "s.a");
  await recorder.transaction(client, "batch", ["s.a", "s.b", "s.c", "s.a"], "publishBatch");
  await Promise.all([recorder.transaction(client, "tx", ["tx.a", "tx.b.c", "s.a"]), recorder.publish(direct, "other", "tx.d")]);
  await recorder.readToTheEnd(await logOf(direct));

  let asked = 0;
  const responder = client.respond("double", (request) => {
    asked++;
    return (request.payload as number) * 2;
  });
  await responder.ready;
  const answers = await Promise.all([ask(client, 4), ask(direct, 5), ask(client, 6)]);
  await responder.stop();

  await narrow.unsubscribe();
  some.left = true;
  const seen = some.seen.length;
  await publish("s.a", "s.c");
  await recorder.publish(direct, "other", "s.a");
  await recorder.transaction(client, "tx", ["tx.a", "s.b"]);
  const log = await logOf(direct);
  await recorder.readToTheEnd(log);
  const frames = { ...proxy.frames };
  await client.close();

  expect(violations(recorder.history(log)), what).toEqual([]);
  expect(recorder.attempts.filter(({ fate }) => fate.state !== "acked"), what).toEqual([]);
  expect(answers, what).toEqual([8, 10, 12]);
  expect(asked, what).toBeGreaterThanOrEqual(3);
  expect(some.seen.length, `${what}: events after unsubscribe()`).toBe(seen);
  return { frames, cuts: proxy.cuts, late: proxy.late };
}

/** A request that was cut off fails and may be asked again; never is there an answer that is another's. */
async function ask(client: EventRouterClient, number: number): Promise<unknown> {
  for (;;) {
    try {
      return (await client.request("double", number, { timeout: 500 })).payload;
    } catch (error) {
      if (error instanceof EventRouterError && (error.retryable || error.code === "ERR_NO_RESPONDERS")) continue;
      throw error;
    }
  }
}

const at = (direction: Direction, frame: number, verdict: Verdict) => (passing: Passing): Verdict =>
  passing.connection === 1 && passing.direction === direction && passing.frame === frame ? verdict : "pass";

let whole: Outcome;

test("the session, when nothing breaks", async () => {
  whole = await session("whole", () => "pass");
  expect(whole).toMatchObject({ cuts: 0, late: 0 });
  expect(whole.frames.up).toBeGreaterThan(12);
  expect(whole.frames.down).toBeGreaterThan(12);
});

for (const direction of ["up", "down"] as const) {
  const way = direction === "up" ? "from client to router" : "from router to client";

  for (const verdict of ["cut behind", "cut inside"] as const) {
    test(`[P1] [P2] [P3] [P4] [P5] [P7] a socket ${verdict} each frame ${way}`, async () => {
      let cuts = 0;
      for (let frame = 0; frame <= whole.frames[direction]; frame++) cuts += (await session(`${verdict} frame ${frame} ${way}`, at(direction, frame, verdict))).cuts;
      // How events share frames is a matter of time, so a session may have fewer of them than the one that was counted.
      expect(cuts).toBeGreaterThan(12);
    });
  }

  test(`[P2] [P3] [P4] frames ${way} that come late, when another connection has taken over, from each on`, async () => {
    let late = 0;
    // Not the last ones: in a session that has fewer frames they are its goodbye, and who leaves over a dead connection waits for his timeout.
    for (let frame = 1; frame <= whole.frames[direction] - 2; frame++) late += (await session(`late from frame ${frame} ${way}`, at(direction, frame, "hold"))).late;
    expect(late).toBeGreaterThan(12);
  });
}

test("[P2] [P3] [P4] a socket cut again and again, each time a few frames further", async () => {
  let cuts = 0;
  for (let step = 1; step <= 12; step++) {
    const decide = ({ direction, connection, frame }: Passing): Verdict =>
      connection <= 8 && direction === (connection % 2 === 0 ? "up" : "down") && frame === 1 + ((step + connection) % 4) ? (step % 2 === 0 ? "cut behind" : "cut inside") : "pass";
    cuts += (await session(`again and again, step ${step}`, decide)).cuts;
  }
  expect(cuts).toBeGreaterThan(48);
});
