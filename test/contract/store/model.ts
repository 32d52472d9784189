import type fastCheck from "fast-check";
import type { Arbitrary } from "fast-check";
import type { Batch, Log, Outcome } from "../../../src/core/store.ts";
import { equal } from "../check.ts";
import { draft, instance, type Instance } from "./drafts.ts";
import { brief, type Kit } from "./kit.ts";

/** The part of fast-check that is used; passed in, as not every runtime has it. */
export type FastCheck = typeof fastCheck;

type Step =
  | { readonly do: "append"; readonly batches: readonly Choice[] }
  | { readonly do: "trim"; readonly back: number }
  | { readonly do: "read"; readonly back: number; readonly events: number; readonly size: number }
  | { readonly do: "bookmark"; readonly key: string; readonly value: string | undefined }
  | { readonly do: "reopen" };
/** A batch of an instance's numbers `from` … `from + count - 1`, one of which may have another payload. */
interface Choice { readonly who: number; readonly run: boolean; readonly from: number; readonly count: number; readonly changed: boolean }

interface Entry { readonly key: string; readonly run: boolean; readonly payload: unknown; readonly line: string; readonly seq: number }

/** The log as an array: what an honest but slow store would do. It remembers all ids. */
class Model {
  readonly entries: Entry[] = [];
  readonly bookmarks = new Map<string, string>();
  first = 1;

  append(batches: readonly Batch[]): (number | [number | null] | string)[][] {
    return batches.map(({ publisher, drafts }) => {
      const known = drafts.map(({ id }) => this.entries.find(({ key }) => key === `${publisher} ${id}`));
      const there = (entry: Entry) => entry.seq >= this.first;
      if (drafts.some(({ body }, index) => known[index] !== undefined && there(known[index]) && payloadOf(body) !== known[index].payload)) return drafts.map(() => "ERR_ID_CONFLICT");
      return drafts.map(({ id, body }, index) => {
        const entry = known[index];
        // The seq of a repeat whose event was trimmed may be forgotten.
        if (entry !== undefined) return [entry.seq];
        const seq = this.entries.length + 1;
        this.entries.push({ key: `${publisher} ${id}`, run: true, payload: payloadOf(body), line: `[${seq}${body}`, seq });
        return seq;
      });
    });
  }
}

const payloadOf = (body: string): string => JSON.stringify((JSON.parse(`[0${body}`) as unknown[])[5]);

export function model({ test, durable }: Kit, fc: FastCheck): void {
  const choice: Arbitrary<Choice> = fc.record({ who: fc.nat(3), run: fc.boolean(), from: fc.integer({ min: 1, max: 24 }), count: fc.integer({ min: 1, max: 5 }), changed: fc.integer({ min: 0, max: 9 }).map((n) => n === 0) });
  const step: Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), batches: fc.array(choice, { minLength: 1, maxLength: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), back: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const), back: fc.nat(60), events: fc.integer({ min: 1, max: 20 }), size: fc.integer({ min: 1, max: 2_000 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("bookmark" as const), key: fc.constantFrom("a", "b"), value: fc.option(fc.string(), { nil: undefined }) }) },
    ...(durable ? [{ weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) }] : []),
  );
  const steps = fc.array(step, { minLength: 50, maxLength: 50, size: "max" });

  // 40 histories of 50 steps.
  for (let history = 1; history <= 40; history++) {
    test(`[P3] [P4] [P9] behaves as an array, history ${history} of 40`, async (bench) => {
      const [script] = fc.sample(steps, { numRuns: 1, seed: history });
      let log: Log = bench.log;
      const instances: Instance[] = [instance("a"), instance("b"), instance("b", "ann"), instance("c", "bob")];
      const publishers = ["", "", "ann", "bob"];
      const expected = new Model();
      const heard: string[] = [];
      const listen = () => log.watch((events) => heard.push(...events.map(({ line }) => line)));
      listen();

      for (const [at, one] of script!.entries()) {
        const what = `step ${at}: ${JSON.stringify(one)}`;
        switch (one.do) {
          case "append": {
            const batches = one.batches.map((chosen) => batchOf(chosen, instances[chosen.who]!, publishers[chosen.who]!));
            const outcomes = await log.append(batches);
            equal(outcomes.map((batch) => shape(batch, expected)), expected.append(batches).map((batch) => batch.map((fate) => forgiving(fate, expected))), what);
            break;
          }
          case "trim": {
            const seq = Math.max(0, expected.entries.length - one.back);
            await log.trim(seq);
            expected.first = Math.max(expected.first, seq + 1);
            break;
          }
          case "read": {
            const after = Math.max(0, expected.entries.length - one.back);
            const page: string[] = [];
            let size = 0;
            for (const { line } of expected.entries.slice(Math.max(after, expected.first - 1), Math.max(after, expected.first - 1) + one.events)) {
              if (page.length > 0 && size + line.length > one.size) break;
              page.push(line);
              size += line.length;
            }
            equal((await log.read(after, one)).map(({ line }) => line), page, what);
            break;
          }
          case "bookmark":
            await log.writeBookmarks([[one.key, one.value]]);
            if (one.value === undefined) expected.bookmarks.delete(one.key);
            else expected.bookmarks.set(one.key, one.value);
            break;
          case "reopen":
            log = await (await bench.reopen()).open("default");
            listen();
        }
        const left = expected.entries.slice(expected.first - 1);
        equal([log.head, log.first, log.extent], [expected.entries.length, expected.first, { events: left.length, size: left.reduce((sum, { line }) => sum + line.length, 0) }], what);
        equal(heard, expected.entries.map(({ line }) => line), what);
        for (const key of ["a", "b"]) equal(await log.readBookmark(key), expected.bookmarks.get(key), what);
      }
    });
  }
}

function batchOf({ run, from, count, changed }: Choice, one: Instance, publisher: string): Batch {
  const drafts = Array.from({ length: count }, (_, index) => {
    const plain = one.draft(from + index);
    return changed && index === 0 ? draft(plain.id, { payload: "changed", subject: publisher }) : plain;
  });
  return { publisher, run, drafts };
}

/** Outcomes in short; the seq of an event that was trimmed is left out, as a store may have forgotten it. */
function shape(outcomes: readonly Outcome[], expected: Model): unknown[] {
  return brief(outcomes).map((fate) => forgiving(fate, expected));
}

function forgiving(fate: number | [number | null] | string, { first }: Model): unknown {
  return Array.isArray(fate) && (fate[0] === null || fate[0] < first) ? ["trimmed"] : fate;
}
