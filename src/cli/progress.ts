import type { Range } from "./history.ts";
import type { RouterAccess } from "./router-access.ts";
import { ask } from "./ask.ts";
import type { Shell } from "./shell.ts";

/** Milliseconds between two pictures. */
const FRAME = 100;
const WIDTH = 24;

/** How far a command is, on a terminal. */
export class Progress {
  readonly #shell: Shell;
  readonly #share: ((at: number) => number) | undefined;
  readonly #start = performance.now();
  #next = 0;
  count = 0;

  /** @param share How much is done at a place, 0 to 1; undefined where nobody knows. */
  constructor(shell: Shell, share?: (at: number) => number) {
    this.#shell = shell;
    this.#share = share;
  }

  /** Seconds since the start. */
  get seconds(): number { return (performance.now() - this.#start) / 1_000; }

  /** So many more are done, the last of them at this place. */
  add(count: number, at: number): void {
    this.count += count;
    const now = performance.now();
    if (now < this.#next) return;
    this.#next = now + FRAME;
    this.#shell.progress(`${this.#share === undefined ? "" : bar(this.#share(at))}${counted(this.count)}  ${Math.round(this.count / Math.max(this.seconds, 0.001)).toLocaleString("en-US")}/s`);
  }

  end(): void {
    this.#shell.progress(undefined);
  }
}

/** `1 event`, `12,345 events` */
export function counted(count: number, what = "event"): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

function bar(share: number): string {
  const part = Math.min(Math.max(share, 0), 1);
  const full = Math.round(part * WIDTH);
  return `[${"#".repeat(full)}${"-".repeat(WIDTH - full)}] ${String(Math.floor(part * 100)).padStart(3)} %  `;
}

/** The progress through a range of a log, in seqs. Who may not ask for the log's extent sees counts alone. */
export async function historyProgress(router: RouterAccess, { from, to }: Range, shell: Shell): Promise<Progress> {
  const signal = AbortSignal.any([shell.stop, AbortSignal.timeout(router.timeout)]);
  const extent = await ask<{ readonly first: number; readonly head: number }>(router, "/api/v1/stats", { signal }).catch((error: unknown) => {
    if (shell.stop.aborted) throw error;
    return undefined;
  });
  if (extent === undefined || from instanceof Date || to instanceof Date) return new Progress(shell);
  const first = Math.max(from ?? 1, extent.first);
  const last = Math.min(to ?? extent.head, extent.head);
  return new Progress(shell, (seq) => (seq - first + 1) / Math.max(last - first + 1, 1));
}
