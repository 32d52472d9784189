import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Receipt } from "../../src/index.ts";
import type { Home } from "../contract/router/kit.ts";
import { inProcess, webSocket } from "../contract/router/homes.ts";

const WRITERS = 64;
const APPENDS = 10_000;

describe.each([["memory, in process", inProcess("memory")], ["SQLite, over WebSocket", webSocket("sqlite")]])("%s", (_, make) => {
  let home: Home;
  beforeAll(async () => { home = await make(); });
  afterAll(() => home.close());

  test(`${WRITERS} writers append ${APPENDS} times to one stream: each version has one winner, and losers are told where the stream is`, async () => {
    const won: number[] = [];
    let lost = 0;
    let left = APPENDS;
    await Promise.all(Array.from({ length: WRITERS }, async (__, writer) => {
      const stream = home.connect().eventStream("contested");
      let last: number | "no-stream" = "no-stream";
      while (left-- > 0) {
        try {
          const receipt: Receipt = await stream.append("n", writer, { expectedVersion: last });
          won.push(receipt.version!);
          expect(receipt.version).toBe(last === "no-stream" ? 0 : last + 1);
          last = receipt.version!;
        } catch (error) {
          lost++;
          const { actualVersion } = (error as { details: { actualVersion: number } }).details;
          expect(error).toMatchObject({ name: "ConflictError", code: "ERR_STREAM_VERSION", retryable: false });
          expect(actualVersion).toBeGreaterThan(last === "no-stream" ? -1 : last);
          last = actualVersion;
        }
      }
    }));
    expect(won.length + lost).toBe(APPENDS);
    const inOrder = Array.from({ length: won.length }, (__, i) => i);
    expect([...won].sort((a, b) => a - b)).toEqual(inOrder);
    const events = await home.connect().eventStream("contested").read();
    expect(events.map(({ version }) => version)).toEqual(inOrder);
    expect(lost).toBeGreaterThan(0);
  });
});
