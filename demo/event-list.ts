import type { RouterEvent } from "../src/index.ts";
import { eventRow, gapRow } from "./event-row.ts";
import { matcherOf } from "./search.ts";

/** Events kept: older ones go. */
const LIMIT = 1_000;
/** New rows that a frame has the time to make. Of more, these many of the newest are shown at once. */
const MANY = 60;
/** More new rows than this at once are not worth a flash each. */
const FEW = 6;
/** When a flood has ebbed for this long (ms), the rest is made into rows, so many a frame. */
const CALM = 200;
const STEP = 100;

type Item = RouterEvent | { readonly gap: string };

/**
 * The newest events, newest first. New ones wait for the next frame and go in together. In a flood, more than {@link MANY} a frame, only those many
 * are made into rows, since nobody reads the others as they rush by; the rest follows when it is calm again. So a frame costs the same whatever
 * the rate, and a page in the background keeps no more than {@link LIMIT} events or so.
 */
export class EventList {
  readonly #list: HTMLOListElement;
  readonly #changed: () => void;
  /** Oldest first: all that came. */
  #items: Item[] = [];
  /** Those of them that the search finds. The rows are those of its end. */
  #shown: Item[] = [];
  #finds: (event: RouterEvent) => boolean = matcherOf("");
  #waiting: Item[] = [];
  #framed = false;
  #paused = false;
  #calm: ReturnType<typeof setTimeout> | undefined;
  /** Since the last clear, shown or not. */
  #total = 0;
  #held = 0;
  #above = 0;

  constructor(list: HTMLOListElement, changed: () => void) {
    this.#list = list;
    this.#changed = changed;
    list.addEventListener("keydown", (event) => this.#walk(event));
    list.addEventListener("scroll", () => {
      if (this.#above === 0 || list.scrollTop > 4) return;
      this.#above = 0;
      changed();
    }, { passive: true });
  }

  get total(): number { return this.#total; }
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
    this.#finds = matcherOf(words);
    this.#shown = this.#items.filter((item) => this.#wanted(item));
    this.#above = 0;
    this.#list.scrollTop = 0;
    this.#flood();
    this.#changed();
  }

  push(event: RouterEvent): void {
    this.#total++;
    this.#add(event);
  }

  gap(text: string): void {
    this.#add({ gap: text });
  }

  clear(): void {
    this.#items = [];
    this.#shown = [];
    this.#waiting = [];
    this.#total = this.#held = this.#above = 0;
    this.#list.replaceChildren();
    this.#list.scrollTop = 0;
    this.#changed();
  }

  /** Back to the newest; what was open is closed. */
  toTop(): void {
    for (const line of this.#list.querySelectorAll<HTMLElement>('.line[aria-expanded="true"]')) line.click();
    this.#list.focus();
    this.#list.scrollTop = 0;
    this.#above = 0;
    this.#changed();
  }

  #add(item: Item): void {
    if (this.#paused) this.#held++;
    this.#waiting.push(item);
    if (this.#waiting.length > 2 * LIMIT) this.#waiting = this.#waiting.slice(-LIMIT);
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
    const came = this.#waiting.slice(-LIMIT);
    this.#waiting = [];
    this.#items = [...this.#items, ...came].slice(-LIMIT);
    const fresh = came.filter((item) => this.#wanted(item));
    if (fresh.length === 0) return;
    this.#shown = [...this.#shown, ...fresh].slice(-LIMIT);
    const reading = this.#reading();
    if (fresh.length > MANY && !reading) return this.#flood();

    const rows = rowsOf(fresh);
    if (rows.length <= FEW) for (const row of rows) row.classList.add("fresh");
    const list = this.#list;
    for (let excess = list.childElementCount + rows.length - LIMIT; excess > 0; excess--) {
      if (list.lastElementChild?.contains(document.activeElement) === true) list.focus();
      list.lastElementChild?.remove();
    }
    const height = reading ? list.scrollHeight : 0;
    list.prepend(...rows);
    if (!reading) return;
    list.scrollTop += list.scrollHeight - height;
    this.#above += rows.length;
  }

  #flood(): void {
    this.#list.replaceChildren(...rowsOf(this.#shown.slice(-MANY)));
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => this.#complete(), CALM);
  }

  /** Makes the rows that a flood has left out. */
  #complete(): void {
    const missing = this.#shown.length - this.#list.childElementCount;
    if (missing <= 0) return;
    this.#list.append(...rowsOf(this.#shown.slice(Math.max(0, missing - STEP), missing)));
    requestAnimationFrame(() => this.#complete());
  }

  #wanted(item: Item): boolean {
    return "gap" in item || this.#finds(item);
  }

  /** Who has scrolled down, opened a row or walked to one is reading: what they read stays where it is. */
  #reading(): boolean {
    const list = this.#list;
    return list.scrollTop > 0 || list.querySelector(".detail") !== null || (document.activeElement !== list && list.contains(document.activeElement));
  }

  /** Arrow keys walk through the rows; Escape goes back to the list itself. */
  #walk(event: KeyboardEvent): void {
    const row = document.activeElement?.closest("li.row");
    const line = (of: Element | null | undefined): HTMLElement | undefined => of?.querySelector<HTMLElement>(".line") ?? undefined;
    const targets: Readonly<Record<string, () => HTMLElement | undefined>> = {
      ArrowDown: () => line(row === null || row === undefined ? this.#list.firstElementChild : row.nextElementSibling),
      ArrowUp: () => line(row?.previousElementSibling),
      Home: () => line(this.#list.firstElementChild),
      End: () => line(this.#list.lastElementChild),
      Escape: () => this.#list,
    };
    const target = targets[event.key]?.();
    if (target === undefined) return;
    event.preventDefault();
    target.focus();
  }
}

/** Newest first. */
function rowsOf(items: readonly Item[]): HTMLLIElement[] {
  return items.map((item) => ("gap" in item ? gapRow(item.gap) : eventRow(item))).reverse();
}
