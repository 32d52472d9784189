import type { Backlog } from "./backlog.ts";
import { RowLayout } from "./row-layout.ts";

/** Rows beyond what is on show, above and below: so that a scroll has something to show at once. */
const MARGIN = 6;

/** How an item becomes elements. */
export interface Drawing<T> {
  /** One line, of the height that the style sheet calls `--row`. Its `.line` takes the focus, if it has one. */
  row(item: T): HTMLLIElement;
  /** What is below the line while it is open. */
  detail(item: T): HTMLElement;
}

/**
 * A list of which only the rows on show are in the page, however long it is. The others are room above and below. What has the focus stays in the page
 * when it is scrolled away, so the focus is never lost; each row says its place and how many there are to a screen reader.
 */
export class VirtualList<T> {
  readonly #frame: HTMLElement;
  readonly #list: HTMLOListElement;
  readonly #drawing: Drawing<T>;
  readonly #rows = new Map<number, HTMLLIElement>();
  /** Open rows, and by how much they are taller (px). */
  readonly #open = new Map<number, number>();
  #backlog: Backlog<T>;
  /** The key of the first row when the layout was made. */
  #newest = -1;
  #layout = new RowLayout(1, 0);
  #height = 0;

  /** @param frame what scrolls, and takes the focus; @param list in it. */
  constructor(frame: HTMLElement, list: HTMLOListElement, backlog: Backlog<T>, drawing: Drawing<T>) {
    this.#frame = frame;
    this.#list = list;
    this.#backlog = backlog;
    this.#drawing = drawing;
    list.addEventListener("click", ({ target }) => {
      const line = (target as Element).closest<HTMLElement>(".line");
      if (line !== null) this.#toggle(keyOf(line));
    });
    frame.addEventListener("keydown", (event) => this.#walk(event));
    frame.addEventListener("scroll", () => this.#show(), { passive: true });
    new ResizeObserver(() => {
      const height = Number.parseFloat(getComputedStyle(frame).getPropertyValue("--row"));
      if (height !== this.#height) this.#keep(() => { this.#height = height; });
      else this.#show();
    }).observe(frame);
  }

  /** How many rows are in the page. */
  get drawn(): number { return this.#rows.size; }

  /** Who has scrolled down, opened a row or walked to one is reading: what they read stays where it is. */
  get reading(): boolean {
    return this.#frame.scrollTop > 0 || this.#open.size > 0 || this.#focused !== undefined;
  }

  /** Shows what has come, or another list. @param flash the newest so many are marked as new. */
  draw(backlog: Backlog<T>, flash = 0): void {
    if (this.reading) this.#keep(() => { this.#backlog = backlog; });
    else {
      this.#backlog = backlog;
      this.#arrange();
      this.#show();
    }
    for (let row = 0; row < flash; row++) this.#rows.get(backlog.at(row)?.key ?? -1)?.classList.add("fresh");
  }

  /** Closes what is open and goes to the newest. */
  toTop(): void {
    this.#open.clear();
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    this.#frame.focus();
    this.#arrange();
    this.#frame.scrollTop = 0;
    this.#show();
  }

  /** The key of the row that has the focus. */
  get #focused(): number | undefined {
    const active = document.activeElement;
    return active !== null && this.#list.contains(active) ? keyOf(active) : undefined;
  }

  /** Does something that moves rows, or sees to what was pushed since; the first one on show stays where it is. */
  #keep(change: () => void): void {
    const first = this.#layout.at(this.#frame.scrollTop);
    const past = this.#frame.scrollTop - this.#layout.top(first);
    change();
    const came = this.#backlog.rowOf(this.#newest);
    this.#arrange();
    if (came !== -1) this.#frame.scrollTop = this.#layout.top(first + came) + past;
    this.#show();
  }

  #arrange(): void {
    for (const key of this.#open.keys()) if (this.#backlog.rowOf(key) === -1) this.#open.delete(key);
    this.#layout = new RowLayout(this.#height, this.#backlog.length, [...this.#open].map(([key, extra]) => [this.#backlog.rowOf(key), extra]));
    this.#newest = this.#backlog.at(0)?.key ?? -1;
    this.#list.style.height = `${this.#layout.total}px`;
  }

  #show(): void {
    if (this.#height === 0) return;
    const { scrollTop, clientHeight } = this.#frame;
    const first = Math.max(this.#layout.at(scrollTop) - MARGIN, 0);
    const last = Math.min(this.#layout.at(scrollTop + clientHeight) + MARGIN, this.#backlog.length - 1);
    const focused = this.#focused;
    const wanted = new Set<number>();
    for (let row = first; row <= last; row++) wanted.add(row);
    const away = focused === undefined ? -1 : this.#backlog.rowOf(focused);
    if (away !== -1) wanted.add(away);
    // What had the focus is no longer kept.
    else if (focused !== undefined) this.#frame.focus({ preventScroll: true });
    this.#place([...wanted].sort((a, b) => a - b));
    this.#list.style.paddingTop = `${this.#layout.top(first)}px`;
    for (const [key, element] of this.#rows) element.style.top = key === focused && (away < first || away > last) ? `${this.#layout.top(away)}px` : "";
    this.#measure();
  }

  /** Has just these rows in the page, in their order. Those that stay are not touched. */
  #place(rows: readonly number[]): void {
    const keys = new Set(rows.map((row) => this.#backlog.at(row)!.key));
    for (const [key, element] of this.#rows) {
      if (keys.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    const size = String(this.#backlog.length);
    let next = this.#list.firstElementChild;
    for (const row of rows) {
      const { key, item } = this.#backlog.at(row)!;
      let element = this.#rows.get(key);
      if (element === undefined) {
        element = this.#drawing.row(item);
        element.dataset.key = String(key);
        if (this.#open.has(key)) this.#expand(element, item);
        this.#rows.set(key, element);
      }
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
      element.setAttribute("aria-posinset", String(row + 1));
      element.setAttribute("aria-setsize", size);
    }
  }

  /** An open row is as tall as what it shows, which only the browser knows. */
  #measure(): void {
    let changed = false;
    for (const [key, extra] of this.#open) {
      const now = (this.#rows.get(key)?.offsetHeight ?? 0) - this.#height;
      if (now < 0 || now === extra) continue;
      this.#open.set(key, now);
      changed = true;
    }
    if (changed) this.#keep(() => {});
  }

  #toggle(key: number): void {
    const item = this.#backlog.at(this.#backlog.rowOf(key))?.item;
    const element = this.#rows.get(key);
    if (item === undefined || element === undefined) return;
    if (this.#open.delete(key)) {
      element.querySelector(".detail")?.remove();
      element.querySelector(".line")?.setAttribute("aria-expanded", "false");
    } else {
      this.#open.set(key, 0);
      this.#expand(element, item);
    }
    this.#keep(() => {});
  }

  #expand(element: HTMLLIElement, item: T): void {
    element.append(this.#drawing.detail(item));
    element.querySelector(".line")?.setAttribute("aria-expanded", "true");
  }

  /** Arrows, page keys, Home and End walk through the rows; Escape goes back to the list itself. */
  #walk(event: KeyboardEvent): void {
    const focused = this.#focused;
    const row = focused === undefined ? -1 : this.#backlog.rowOf(focused);
    const page = Math.max(Math.floor(this.#frame.clientHeight / this.#height) - 1, 1);
    const steps: Readonly<Record<string, number>> = { ArrowDown: row + 1, ArrowUp: row - 1, PageDown: row + page, PageUp: row - page, Home: 0, End: this.#backlog.length - 1 };
    if (event.key === "Escape" && row !== -1) {
      event.preventDefault();
      return this.#frame.focus({ preventScroll: true });
    }
    const step = steps[event.key];
    // In what is open, keys do what they do everywhere: a long text is scrolled.
    if (step === undefined || this.#backlog.length === 0 || (row !== -1 && document.activeElement?.matches(".line, .gap") !== true)) return;
    event.preventDefault();
    this.#goTo(Math.min(Math.max(step, 0), this.#backlog.length - 1));
  }

  #goTo(row: number): void {
    const top = this.#layout.top(row);
    const { scrollTop, clientHeight } = this.#frame;
    if (top < scrollTop) this.#frame.scrollTop = top;
    else if (top + this.#height > scrollTop + clientHeight) this.#frame.scrollTop = top + this.#height - clientHeight;
    this.#show();
    const element = this.#rows.get(this.#backlog.at(row)!.key);
    // A row that says that events are missing has nothing to open, but is walked to like the others.
    (element?.querySelector<HTMLElement>(".line") ?? element)?.focus({ preventScroll: true });
  }
}

const keyOf = (inside: Element): number => Number(inside.closest<HTMLElement>("li[data-key]")?.dataset.key);
