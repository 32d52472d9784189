import type { Batch, Outcome } from "../core/store.ts";

/** How long what was appended is kept to be appended again, ms; and how much of it, UTF-16 units, over all namespaces of a store. */
const LIFE = 30_000;
const MOST = 32 * 1024 * 1024;
/** Events in one append. */
const TOGETHER = 4_096;

interface Entry { readonly at: number; readonly namespace: string; readonly batches: readonly Batch[]; readonly size: number }

/** Whose records are only good for the log they were written into. */
const ROUTER = "$router";

/**
 * What this process has appended of late. A failover, or a restart without data, can take acked events with it: whoever published them is answered and gone,
 * but the router that wrote them may live. It writes them again into the log's next epoch; those that were not lost are repeats there.
 */
export class RedisRecent {
  readonly #entries: Entry[] = [];
  #size = 0;

  /** Batches of which some were appended. */
  add(namespace: string, batches: readonly Batch[], outcomes: readonly Outcome[][]): void {
    const kept = batches.filter(({ publisher }, index) => publisher !== ROUTER && outcomes[index]!.some(({ state }) => state === "appended"));
    const now = Date.now();
    if (kept.length > 0) {
      let size = 0;
      for (const { drafts } of kept) for (const { body } of drafts) size += body.length;
      this.#entries.push({ at: now, namespace, batches: kept, size });
      this.#size += size;
    }
    let stale = 0;
    while (stale < this.#entries.length && (this.#size > MOST || this.#entries[stale]!.at < now - LIFE)) this.#size -= this.#entries[stale++]!.size;
    if (stale > 0) this.#entries.splice(0, stale);
  }

  has(namespace: string): boolean {
    return this.#entries.some((entry) => entry.namespace === namespace && entry.at >= Date.now() - LIFE);
  }

  /** Appends what is kept of a namespace to a later life of its log. Returns how many events were missing there. */
  async restore(namespace: string, append: (batches: readonly Batch[]) => Promise<readonly Outcome[][]>): Promise<number> {
    const entries = this.#entries.filter((entry) => entry.namespace === namespace && entry.at >= Date.now() - LIFE);
    let missing = 0;
    for (let start = 0; start < entries.length; ) {
      const batches: Batch[] = [];
      for (let events = 0; start < entries.length && (events === 0 || events < TOGETHER); start++) {
        for (const batch of entries[start]!.batches) {
          // What it expected was so, in the log that is lost.
          batches.push({ ...batch, expect: undefined });
          events += batch.drafts.length;
        }
      }
      for (const outcomes of await append(batches)) for (const { state } of outcomes) if (state === "appended") missing++;
    }
    return missing;
  }
}
