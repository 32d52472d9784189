import type { LogEvent } from "../../src/core/log-event.ts";
import type { Log } from "../../src/core/store.ts";
import type { Life } from "../support/history.ts";
import { sightingOf } from "./sighting.ts";

interface Kept { readonly epoch: string; readonly events: LogEvent[]; trimmed: number }

/** What the stores have committed, ever, whoever was told: each life of each namespace's log, whole. */
export class Truth {
  readonly #lives = new Map<string, Kept[]>();
  readonly #violated: (what: string) => void;

  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  /** A log was opened: what it has is looked at, and what it appends from now on. */
  async attach(namespace: string, log: Log): Promise<void> {
    const lives = this.#lives.get(namespace) ?? [];
    this.#lives.set(namespace, lives);
    let life = lives.find(({ epoch }) => epoch === log.epoch);
    if (life === undefined) lives.push((life = { epoch: log.epoch, events: [], trimmed: 0 }));
    else if (life !== lives.at(-1)) this.#violated(`I19 the log of ${namespace} is back at epoch ${log.epoch}`);
    const own = life;
    const add = (events: readonly LogEvent[]): void => { for (const event of events) this.#add(own, event); };
    log.watch(add);
    add(await log.read(own.events.length, { events: Infinity, size: Infinity }));
    this.trimmed(namespace, log);
  }

  trimmed(namespace: string, log: Log): void {
    const life = this.#lives.get(namespace)!.find(({ epoch }) => epoch === log.epoch)!;
    life.trimmed = Math.max(life.trimmed, log.first - 1);
  }

  head(namespace: string, epoch?: string): number { return this.#life(namespace, epoch)?.events.length ?? 0; }
  trimmedTo(namespace: string, epoch: string): number { return this.#life(namespace, epoch)?.trimmed ?? 0; }

  lives(namespace: string): Life[] {
    return (this.#lives.get(namespace) ?? []).map(({ epoch, events, trimmed }) => ({ epoch, first: 1, trimmed, events: events.map((event) => sightingOf(event, epoch)) }));
  }

  /** Seqs of a subscription's events that are dead letters, in the last life of the log: as its records say. */
  dead(namespace: string, subscription: string): ReadonlySet<number> {
    const open = new Map<string, number>();
    for (const { type, payload } of this.#life(namespace)?.events ?? []) {
      if (type === "$dead.open") {
        const letter = payload as { id: string; subscription: string; line: string };
        if (letter.subscription === subscription) open.set(letter.id, (JSON.parse(letter.line) as [number])[0]);
      } else if (type === "$dead.closed") for (const id of (payload as { keys: readonly string[] }).keys) open.delete(id);
    }
    return new Set(open.values());
  }

  #life(namespace: string, epoch?: string): Kept | undefined {
    const lives = this.#lives.get(namespace);
    return epoch === undefined ? lives?.at(-1) : lives?.find((one) => one.epoch === epoch);
  }

  #add({ epoch, events }: Kept, event: LogEvent): void {
    const known = events[event.seq - 1];
    if (known !== undefined) {
      if (known.line !== event.line) this.#violated(`I4 seq ${event.seq} of epoch ${epoch} was ${known.line} and is ${event.line}`);
    } else if (event.seq !== events.length + 1) this.#violated(`I6 the log of epoch ${epoch} goes from seq ${events.length} to ${event.seq}`);
    else events.push(event);
  }
}
