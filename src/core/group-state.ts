import type { Filter } from "./filter.ts";

/** What a durable reader's bookmark says besides its position: whose it is, and what it asks for. */
export interface Standing {
  /** The subject that made it, "" if anonymous: the name is his. */
  readonly owner: string;
  readonly topics: readonly string[];
  readonly filter?: Filter | undefined;
}

/** A group as it is kept: everything up to `after` is finished but what is `open`, with its deliveries so far. */
export interface GroupState extends Standing {
  readonly epoch: string;
  readonly after: number;
  readonly open: readonly (readonly [seq: number, attempts: number])[];
}

/** The least that says where a group is: what was never given to anybody is read again, so the state ends before it. */
export function groupState(standing: Standing, epoch: string, after: number, unfinished: Iterable<{ readonly event: { readonly seq: number }; readonly attempts: number }>): GroupState {
  const open = [...unfinished].map(({ event: { seq }, attempts }) => [seq, attempts] as const).sort(([a], [b]) => a - b);
  while (open.length > 0 && open.at(-1)![1] === 0) after = open.pop()![0] - 1;
  return { ...standing, epoch, after, open };
}
