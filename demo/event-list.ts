import type { RouterEvent } from "../src/index.ts";
import { Backlog, type Entry } from "./backlog.ts";
import { eventDetail, eventRow, gapRow } from "./event-row.ts";
import { matcherOf } from "./search.ts";
import { VirtualList } from "./virtual-list.ts";

/** Events kept at most, and characters in them: older ones go. */
export const LIMIT = 50_000;
const LARGEST = 64 * 1024 * 1024;
/** More new rows than this at once are not worth a flash each. */
const FEW = 6;
/** A search looks through what is kept for so long (ms) at a time, newest first: the page is never held up. */
const SLICE = 6;

type Item = RouterEvent | { readonly gap: string };

/**
 * The newest events, newest first. New ones wait for the next frame and go in together; only the rows on show are in the page ({@link VirtualList}),
 * so a frame costs the same whatever the rate and however many are kept.
 */
export class EventList {
  readonly #view: VirtualList<Item>;
  readonly #frame: HTMLElement;
  readonly #changed: () => void;
  #kept = newBacklog();
  /** What the search finds of it; with no search, the same. */
  #shown = this.#kept;
  #finds: ((event: RouterEvent) => boolean) | undefined;
  #scan = 0;
  #waiting = newBacklog();
  #key = 0;
  #framed = false;
  #paused = false;
  /** Since the last clear, shown or not. */
  #total = 0;
  #held = 0;
  #above = 0;

  constructor(frame: HTMLElement, list: HTMLOListElement, changed: () => void) {
    this.#frame = frame;
    this.#changed = changed;
    this.#view = new VirtualList<Item>(frame, list, this.#shown, {
      row: (item) => ("gap" in item ? gapRow(item.gap) : eventRow(item)),
      // Only events have a line to open.
      detail: (item) => eventDetail(item as RouterEvent),
    });
    frame.addEventListener("scroll", () => {
      if (this.#above === 0 || frame.scrollTop > 4) return;
      this.#above = 0;
      changed();
    }, { passive: true });
  }

  get total(): number { return this.#total; }
  get kept(): number { return this.#kept.length; }
  get shown(): number { return this.#shown.length; }
  /** Rows that are in the page. */
  get drawn(): number { return this.#view.drawn; }
  /** Events that came since the pause began. */
  get held(): number { return this.#held; }
  /** Rows that came in above what is being read. */
  get above(): number { return this.#above; }
  get paused(): boolean { return this.#paused; }
  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused) this.#held = 0;
    this.#schedule();
  }

  /** Shows only the events that have all these words in them; none: all. What is kept stays kept, so a pause can be searched too. */
  search(words: string): void {
    this.#finds = words.trim() === "" ? undefined : matcherOf(words);
    this.#shown = this.#finds === undefined ? this.#kept : newBacklog();
    this.#above = 0;
    this.#frame.scrollTop = 0;
    this.#view.draw(this.#shown);
    const mine = ++this.#scan;
    if (this.#finds !== undefined) this.#look(mine, this.#kept.at(0)?.key ?? 0);
    this.#changed();
  }

  push(event: RouterEvent): void {
    this.#total++;
    this.#add(event, JSON.stringify(event.payload)?.length ?? 0);
  }

  gap(text: string): void {
    this.#add({ gap: text }, text.length);
  }

  clear(): void {
    this.#scan++;
    this.#kept = newBacklog();
    this.#shown = this.#finds === undefined ? this.#kept : newBacklog();
    this.#waiting = newBacklog();
    this.#total = this.#held = this.#above = 0;
    this.#view.draw(this.#shown);
    this.#frame.scrollTop = 0;
    this.#changed();
  }

  /** Back to the newest; what was open is closed. */
  toTop(): void {
    this.#view.toTop();
    this.#above = 0;
    this.#changed();
  }

  #add(item: Item, size: number): void {
    if (this.#paused) this.#held++;
    this.#waiting.push({ key: ++this.#key, item, size });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#framed) return;
    this.#framed = true;
    requestAnimationFrame(() => {
      this.#framed = false;
      if (!this.#paused) this.#flush();
      this.#changed();
    });
  }

  #flush(): void {
    let fresh = 0;
    for (let row = this.#waiting.length - 1; row >= 0; row--) {
      const entry = this.#waiting.at(row)!;
      this.#kept.push(entry);
      if (!this.#wanted(entry)) continue;
      fresh++;
      if (this.#shown !== this.#kept) this.#shown.push(entry);
    }
    this.#waiting = newBacklog();
    if (fresh === 0) return;
    const { reading } = this.#view;
    if (reading) this.#above += fresh;
    this.#view.draw(this.#shown, reading || fresh > FEW ? 0 : fresh);
  }

  /** Goes on with a search, from this key downwards. */
  #look(scan: number, from: number): void {
    if (scan !== this.#scan) return;
    const until = performance.now() + SLICE;
    const found: Entry<Item>[] = [];
    let row = this.#kept.rowOf(from);
    // What was to be next is dropped already, and so is all that is older.
    if (row === -1) return;
    let entry = this.#kept.at(row);
    for (; entry !== undefined && performance.now() < until; entry = this.#kept.at(++row)) if (this.#wanted(entry)) found.push(entry);
    if (found.length > 0) {
      this.#shown.unshift(found.reverse());
      this.#view.draw(this.#shown);
    }
    this.#changed();
    if (entry === undefined) return;
    const { key } = entry;
    setTimeout(() => this.#look(scan, key));
  }

  #wanted({ item }: Entry<Item>): boolean {
    return this.#finds === undefined || "gap" in item || this.#finds(item);
  }
}

const newBacklog = (): Backlog<Item> => new Backlog<Item>(LIMIT, LARGEST);
