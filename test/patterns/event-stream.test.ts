import { describe, expect, test } from "vitest";
import { ScriptedRouter } from "../client/scripted-router.ts";
import { settle } from "../support/test-clock.ts";

async function world() {
  const router = new ScriptedRouter();
  const client = router.client();
  await client.connect();
  await router.take();
  await import("../../src/patterns/event-stream-work.ts");
  /** Answers the next read with these versions; resolves with what was asked. */
  const answer = async (versions: readonly number[], next: number | null = null, payload: unknown = 1): Promise<unknown> => {
    const [call] = await router.take("call");
    router.say(["ok", call!.args[0] as number, { epoch: "e1", events: versions.map((version) => [version + 1, 0, [0, 0, version], `id${version}`, "n", payload, { stream: "s" }]), length: 9, next }]);
    await settle();
    return call!.args.slice(1);
  };
  return { router, client, stream: client.eventStream("s"), answer };
}

const count = (sum: number): number => sum + 1;

describe("reading an event stream", () => {
  test("pages are asked for as they are needed", async () => {
    const { router, stream, answer } = await world();
    const iterator = stream.events();
    const first = iterator.next();
    expect(await answer([0, 1], 2)).toEqual(["stream", { stream: "s", limit: 500 }]);
    expect([(await first).value!.version, (await iterator.next()).value!.version]).toEqual([0, 1]);
    expect(await router.take("call")).toEqual([]);
    const third = iterator.next();
    expect(await answer([2])).toEqual(["stream", { stream: "s", from: 2, limit: 500 }]);
    expect((await third).value!.version).toBe(2);
    expect((await iterator.next()).done).toBe(true);
  });
});

describe("folding", () => {
  test("events that were trimmed make a fold wrong, so it says that it cannot be", async () => {
    const { stream, answer } = await world();
    const failed = expect(stream.fold(count, 0)).rejects.toMatchObject({ code: "ERR_STREAM_INCOMPLETE", details: { from: 0, to: 3 } });
    await settle();
    await answer([4, 5]);
    await failed;
  });

  test("a snapshot stands for what was trimmed", async () => {
    const { router, stream, answer } = await world();
    const state = stream.fold(count, 0, { snapshotEvery: 10 });
    await settle();
    expect(await answer([7], null, { version: 3, state: 4 })).toEqual(["stream", { stream: "s:state", direction: "backward", limit: 1 }]);
    await answer([4, 5]);
    expect(await state).toBe(6);
    expect(await router.take("pub")).toEqual([]);
  });

  test("a snapshot that cannot be stored is told, and the fold is right all the same", async () => {
    const { router, client, stream, answer } = await world();
    const errors: unknown[] = [];
    client.onError((error) => errors.push(error));
    const state = stream.fold(count, 0, { snapshotEvery: 2 });
    await settle();
    await answer([]);
    await answer([0, 1]);
    const [pub] = await router.take("pub");
    expect(pub!.lines[0]!.slice(1)).toEqual(["stream.snapshot", { version: 1, state: 2 }, { stream: "s:state" }]);
    router.say(["pub", pub!.args[0] as number, 0, [["PermissionError", "ERR_PERMISSION", "not allowed", 0]]]);
    expect([await state, errors]).toMatchObject([2, [{ code: "ERR_PERMISSION" }]]);
  });

  test.each([[{ snapshotEvery: 0 }], [{ every: 5 }]])("wrong options are refused: %j", async (options) => {
    const { stream } = await world();
    await expect(stream.fold(count, 0, options as object)).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});
