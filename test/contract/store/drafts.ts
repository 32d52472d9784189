import { eventIds } from "../../../src/core/event-id.ts";
import type { Batch, Draft } from "../../../src/core/store.ts";

export interface DraftInit {
  readonly type?: string;
  readonly payload?: unknown;
  readonly time?: number;
  readonly subject?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** A draft as the router makes it. */
export function draft(id: string, { type = "test.made", payload = null, time = 1_000, subject = "", meta }: DraftInit = {}): Draft {
  const stamps = `,${time},${subject === "" ? 0 : JSON.stringify(subject)},`;
  const own = `${JSON.stringify(id)},${JSON.stringify(type)},${JSON.stringify(payload)}${meta === undefined ? "" : `,${JSON.stringify(meta)}`}]`;
  return { id, type, time, body: stamps + own, own: stamps.length };
}

/** A batch whose ids are single ones. */
export const singles = (...drafts: Draft[]): Batch => ({ publisher: "", run: false, drafts });

export interface Instance {
  readonly ids: readonly string[];
  /** The draft and the batch of the id with this number, from 1. */
  draft(number: number, init?: DraftInit): Draft;
  batch(...numbers: number[]): Batch;
}

/** A publisher's connection with running numbers; drafts of the same number are always the same. */
export function instance(name: string, subject = ""): Instance {
  const next = eventIds(name.padEnd(11, "0"), () => 1_700_000_000_000);
  const ids: string[] = [];
  const idOf = (number: number): string => {
    while (ids.length < number) ids.push(next());
    return ids[number - 1]!;
  };
  const make = (number: number, init?: DraftInit) => draft(idOf(number), { payload: { n: number }, subject, ...init });
  return { ids, draft: make, batch: (...numbers) => ({ publisher: subject, run: true, drafts: numbers.map((number) => make(number)) }) };
}
