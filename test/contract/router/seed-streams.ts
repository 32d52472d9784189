import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

/** The examples of the original design under "Stream Processing" (windows) and "Event Sourcing". */
export function seedStreams(inHome: Case): void {
  inHome("seed: windowed processing, each event in all windows that span it", async ({ connect }) => {
    const client = connect();
    const averages = collector();
    await client.subscribe("metrics.average", averages.handler);
    const windows = client.window("metrics.cpu", { size: "40ms", slide: "20ms" });
    await windows.ready;
    await client.publishBatch([1, 2, 6].map((value) => ["metrics.cpu", { value }] as const));
    let given = 0;
    for await (const window of windows) {
      let sum = 0;
      for (const event of window) sum += (event.payload as { value: number }).value;
      await client.publish("metrics.average", { value: sum / window.length });
      ok(window.end.getTime() - window.start.getTime() === 40, "a window spans its size");
      // No further event comes: the clock closes them.
      if (++given === 2) break;
    }
    equal((await averages.count(2)).map(({ payload }) => payload), [{ value: 3 }, { value: 3 }]);
    equal(windows.late, 0);
  });

  inHome("the clock closes a window whose filter asks about payloads, encrypted or not", async ({ connect }) => {
    const client = connect();
    const windows = client.window("metrics.*", { size: "40ms", filter: { "payload.value": { $gt: 1 } } });
    await windows.ready;
    await client.publishBatch([1, 2, 6, 0].map((value) => ["metrics.cpu", { value }] as const));
    for await (const { events } of windows) {
      equal(events.map(({ payload }) => payload), [{ value: 2 }, { value: 6 }]);
      break;
    }
    equal(windows.late, 0);
  });

  inHome("seed: event sourcing: append, read, and be told of what is appended", async ({ connect }) => {
    const client = connect();
    const stream = client.eventStream("order-123");
    const updates = collector();
    await stream.onAppend(updates.handler).ready;
    await stream.append("order.created", { items: ["book"] });
    await stream.append("order.paid", { total: 9 });
    await stream.append("order.shipped", { by: "mail" });
    await client.publish("order.created", {}, { stream: "order-124" });
    const events = await stream.read({ fromVersion: 0 });
    equal(events.map(({ version, type }) => `Version ${version}: ${type}`), ["Version 0: order.created", "Version 1: order.paid", "Version 2: order.shipped"]);
    equal((await updates.count(3)).map(({ version, payload }) => [version, payload]), [[0, { items: ["book"] }], [1, { total: 9 }], [2, { by: "mail" }]]);
  });

  inHome("a stream is read in both directions, in part, and as an iterator over its pages", async ({ connect }) => {
    const stream = connect().eventStream("long");
    for (let i = 0; i < 1_200; i += 400) await stream.append(Array.from({ length: 400 }, (_, n) => ({ type: "n", payload: i + n })));
    const versions = async (options?: Parameters<typeof stream.read>[0]) => (await stream.read(options)).map(({ version }) => version);
    equal([(await versions()).length, await versions({ fromVersion: 1_197 }), await versions({ direction: "backward", limit: 2 }), await versions({ direction: "backward", fromVersion: 1 }), await versions({ fromVersion: 7, limit: 1 })], [1_200, [1_197, 1_198, 1_199], [1_199, 1_198], [1, 0], [7]]);
    let sum = 0;
    for await (const event of stream) sum += event.payload as number;
    equal(sum, (1_199 * 1_200) / 2);
    equal(await connect().eventStream("empty").read(), []);
  });

  inHome("writers that expect a version: one wins each, the others are told where the stream is, and nothing of theirs is stored", async ({ connect }) => {
    const writers = Array.from({ length: 4 }, () => connect().eventStream("contested"));
    let conflicts = 0;
    await Promise.all(writers.map(async (stream, writer) => {
      let last: number | "no-stream" = "no-stream";
      for (let n = 0; n < 10; ) {
        try {
          last = (await stream.append("n", { writer, n }, { expectedVersion: last })).version!;
          n++;
        } catch (error) {
          const { name, code, details } = error as Error & { code: string; details: { actualVersion: number } };
          equal([name, code], ["ConflictError", "ERR_STREAM_VERSION"]);
          conflicts++;
          last = details.actualVersion;
        }
      }
    }));
    const events = await writers[0]!.read();
    equal(events.map(({ version }) => version), Array.from({ length: 40 }, (_, i) => i));
    for (const writer of writers.keys()) equal(events.flatMap(({ payload }) => ((payload as { writer: number }).writer === writer ? [(payload as { n: number }).n] : [])), Array.from({ length: 10 }, (_, i) => i));
    ok(conflicts > 0, "they met");
    const refused = await failure(writers[0]!.append([{ type: "a" }, { type: "b" }], { expectedVersion: 3 })) as Error & { code?: string; details: { actualVersion?: number } };
    equal([refused.code, refused.details.actualVersion], ["ERR_STREAM_VERSION", 39]);
    equal((await writers[0]!.append([{ type: "a" }, { type: "b" }], { expectedVersion: 39 })).map(({ version }) => version), [40, 41]);
  });

  inHome("a fold begins at its last snapshot, which is an ordinary event of a companion stream", async ({ connect }) => {
    const client = connect();
    const stream = client.eventStream("account-7");
    let reduced = 0;
    const balance = (options?: Parameters<typeof stream.fold>[2]) => {
      reduced = 0;
      return stream.fold((sum: number, event) => {
        reduced++;
        return sum + (event.payload as number);
      }, 0, options);
    };
    for (let i = 1; i <= 5; i++) await stream.append("money.moved", i);
    equal([await balance(), reduced], [15, 5]);
    equal([await balance({ snapshotEvery: 4 }), reduced], [15, 5]);
    await stream.append("money.moved", 6);
    equal([await balance({ snapshotEvery: 4 }), reduced], [21, 1]);
    equal([await balance({ snapshotEvery: 1, name: "audit" }), reduced], [21, 6]);
    equal([await balance({ snapshotEvery: 1, name: "audit" }), reduced], [21, 0]);
    const snapshots = await client.eventStream("account-7:state").read();
    equal(snapshots.map(({ type, payload }) => [type, payload]), [["stream.snapshot", { version: 4, state: 15 }]]);
  });
}
