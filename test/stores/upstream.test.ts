import fc from "fast-check";
import { expect, test } from "vitest";
import { LogEvent } from "../../src/core/log-event.ts";
import type { Log } from "../../src/core/store.ts";
import { followedLog, type FollowedLog } from "../../src/stores/followed-log.ts";
import { logHome, passageOf, type LogHome, type Passage } from "../../src/stores/log-home.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { upstreamStore, type UpstreamStore } from "../../src/stores/upstream.ts";
import { draft, instance, singles } from "../contract/store/drafts.ts";
import { memory } from "../contract/store/factories.ts";
import { appendOne, everything, seqsOf, type StoreFactory } from "../contract/store/kit.ts";
import { storeContract } from "../contract/store/store-contract.ts";

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
/** A turn of the loop: what is tried again is tried at once. */
const pause = () => new Promise<void>((resolve) => { setImmediate(resolve); });

/** What crosses between objects is copied. */
function copied(home: LogHome): LogHome {
  return new Proxy(home, {
    get: (target, name) => async (...args: unknown[]) => structuredClone(await (target[name as keyof LogHome] as (...given: unknown[]) => unknown)(...structuredClone(args))),
  });
}

/** A store whose logs are kept by another one, in all respects like that one. */
function upstreamOf(inner: StoreFactory): StoreFactory {
  return {
    durable: inner.durable,
    async make(onError) {
      const made = await inner.make(onError);
      const logs = new Map<string, Log>();
      const wrap = (store: typeof made.store): UpstreamStore => {
        logs.clear();
        return upstreamStore({ durability: store.durability, pause, onError, home: (namespace) => copied(lazily(async () => logHome(await store.open(namespace)))) });
      };
      return { store: wrap(made.store), reopen: async () => wrap(await made.reopen()), cleanup: () => made.cleanup() };
    },
  };
}

function lazily(make: () => Promise<LogHome>): LogHome {
  let home: Promise<LogHome> | undefined;
  return new Proxy({} as LogHome, {
    get: (_, name) => async (...args: unknown[]) => ((await (home ??= make()))[name as keyof LogHome] as (...given: unknown[]) => unknown)(...args),
  });
}

storeContract({ test: (name, run) => test(`a log that is kept elsewhere, in memory: ${name}`, run) }, upstreamOf(memory), fc);

interface Pair { readonly log: Log; readonly copy: FollowedLog; readonly heard: number[]; fail(times: number): void; readonly errors: unknown[] }

async function pair(): Promise<Pair> {
  const log = await memoryStore({ randomBytes }).open("n");
  const home = logHome(log);
  const errors: unknown[] = [];
  let failures = 0;
  const faulty = new Proxy(home, {
    get: (target, name) => async (...args: unknown[]) => {
      const answer = await (target[name as keyof LogHome] as (...given: unknown[]) => unknown)(...args);
      // The answer is lost, not the question.
      if (failures > 0 && failures-- > 0) throw new Error("lost on the way");
      return answer;
    },
  });
  const heard: number[] = [];
  const copy = followedLog({ home: faulty, standing: await home.standing(), pause, onError: (error) => errors.push(error) });
  copy.watch((events) => heard.push(...seqsOf(events)));
  return { log, copy, heard, fail: (times) => { failures = times; }, errors };
}

const passage = async (log: Log, after: number, count: number): Promise<Passage> => passageOf(await log.read(after, { ...everything, events: count }), after, { epoch: log.epoch, head: log.head, first: log.first, extent: log.extent });

test("[P2] [P3] what its home tells late, twice, in pieces or not at all is told on once, in order, without a hole", async () => {
  const { log, copy, heard } = await pair();
  for (let i = 1; i <= 10; i++) await appendOne(log, singles(draft(`e${i}`)));
  // 1–3 were lost on the way.
  await copy.tell(await passage(log, 3, 2));
  expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await copy.tell(await passage(log, 0, 4));
  await copy.tell(await passage(log, 8, 2));
  for (let i = 11; i <= 14; i++) await appendOne(log, singles(draft(`e${i}`)));
  await Promise.all([copy.tell(await passage(log, 12, 2)), copy.tell(await passage(log, 9, 3)), copy.tell(await passage(log, 14, 0))]);
  expect(heard).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
});

test("[P1] [P4] an append whose answer is lost is asked again, and stored once", async () => {
  const { log, copy, heard, fail, errors } = await pair();
  fail(2);
  const [outcome] = await appendOne(copy, instance("a").batch(1));
  expect(outcome).toMatchObject({ seq: 1 });
  expect([log.head, heard, errors.length]).toEqual([1, [1], 2]);
});

test("[P2] a hole that cannot be read is read again", async () => {
  const { log, copy, heard, fail } = await pair();
  await appendOne(log, singles(draft("x"), draft("y")));
  fail(3);
  await copy.tell(await passage(log, 1, 1));
  expect(heard).toEqual([1, 2]);
});

test("[P2] [P9] a copy that is of another life of the log, or too far behind a trimmed one, is lost; what it was asked is not answered before that", async () => {
  const { log, copy, heard } = await pair();
  const other = await pair();
  await appendOne(other.log, singles(draft("x")));
  expect(await copy.tell(await passage(other.log, 0, 1))).toBe(false);
  expect(await copy.lost).toMatchObject({ code: "ERR_EPOCH", retryable: true });
  await expect(appendOne(copy, singles(draft("z")))).rejects.toMatchObject({ code: "ERR_EPOCH" });
  expect([heard, log.head]).toEqual([[], 0]);

  const behind = await pair();
  await appendOne(behind.log, singles(draft("a"), draft("b"), draft("c")));
  await behind.log.trim(2);
  expect(await behind.copy.tell(await passage(behind.log, 3, 0))).toBe(false);
  expect(behind.heard).toEqual([]);
});

test("a copy that knows where it stands does not ask", async () => {
  const asked: unknown[] = [];
  const home = new Proxy({} as LogHome, { get: (_, name) => async () => void asked.push(name) });
  const standing = { epoch: "e", head: 7, first: 3, extent: { events: 5, size: 500 } };
  const log = await upstreamStore({ durability: "disk", pause, home: () => home, standing: () => standing }).open("n");
  expect([log.epoch, log.head, log.first, log.extent, asked]).toEqual(["e", 7, 3, standing.extent, []]);
  const line = LogEvent.fromLine('[8,1,0,"a","t",1]').line;
  await log.tell({ ...standing, head: 8, after: 7, lines: [line] });
  expect([log.head, log.standing().head]).toEqual([8, 8]);
});
