import type { Bookmarks } from "./bookmarks.ts";
import { ConflictError, PermissionError } from "./errors.ts";
import type { From } from "./frames.ts";
import type { Standing } from "./group-state.ts";
import type { Cursor } from "./reader.ts";

interface DurableState extends Standing { readonly epoch: string; readonly seq: number }

interface Holder {
  readonly cursor: Cursor;
  readonly standing: Standing;
  /** Another has taken its place. */
  taken(): void;
}

/** Cursors with a name: where each is stays in the store, whoever comes to read on under that name. One session at a time has it. */
export class Durables {
  readonly #bookmarks: Bookmarks;
  readonly #epoch: string;
  readonly #placeOf: (cursor: Cursor) => number;
  readonly #held = new Map<string, Holder>();
  /** The last of those that are opening a name. */
  readonly #opening = new Map<string, Promise<void>>();

  constructor(options: { bookmarks: Bookmarks; epoch: string; placeOf(cursor: Cursor): number }) {
    this.#bookmarks = options.bookmarks;
    this.#epoch = options.epoch;
    this.#placeOf = options.placeOf;
  }

  /** One opening of a name after another: what is found must still be so when it is held, or an older place is written over a newer one. */
  async inTurn<T>(name: string, open: () => Promise<T>): Promise<T> {
    const before = this.#opening.get(name);
    let over = (): void => {};
    const turn = new Promise<void>((resolve) => { over = resolve; });
    this.#opening.set(name, turn);
    try {
      await before;
      return await open();
    } finally {
      over();
      if (this.#opening.get(name) === turn) this.#opening.delete(name);
    }
  }

  /**
   * Where to go on; `from` counts only if the name is new, or if its client knows better how far it is.
   * @throws PermissionError `ERR_DURABLE_OWNER` if the name is somebody else's.
   */
  async find(name: string, owner: string, from: From): Promise<From> {
    const holder = this.#held.get(name);
    const text = holder === undefined ? await this.#bookmarks.read(durableKey(name)) : this.#text(holder);
    if (text === undefined) return from;
    const state = JSON.parse(text) as DurableState;
    if (state.owner !== owner) throw notYours("durable", name);
    return Array.isArray(from) && from[0] === state.epoch && from[1] > state.seq ? from : [state.epoch, state.seq];
  }

  /** The name is this cursor's from now on; resolves when its place is durable. */
  async hold(name: string, holder: Holder): Promise<void> {
    const before = this.#held.get(name);
    this.#held.set(name, holder);
    before?.taken();
    try {
      await this.#bookmarks.write(durableKey(name), this.#text(holder));
    } catch (error) {
      // What was not written is nobody's: to note where it left off would be refused again, with nobody to hear of it.
      if (this.#held.get(name) === holder) this.#held.delete(name);
      throw error;
    }
  }

  /** The router has slept: it has it still. */
  resume(name: string, holder: Holder): void {
    this.#held.set(name, holder);
  }

  /** Its client has finished something. */
  progressed(name: string, cursor: Cursor): void {
    const holder = this.#held.get(name);
    if (holder?.cursor === cursor) this.#bookmarks.changed(durableKey(name), () => this.#text(holder));
  }

  /** Nobody has it now; its place stays. */
  release(name: string, cursor: Cursor): void {
    const holder = this.#held.get(name);
    if (holder?.cursor !== cursor) return;
    // Its place as of now: what the cursor says later means nothing.
    const text = this.#text(holder);
    this.#bookmarks.changed(durableKey(name), () => text);
    this.#held.delete(name);
  }

  /** @throws ConflictError if somebody reads under this name, PermissionError if it is somebody else's. */
  async forget(name: string, mayForget: (owner: string) => boolean): Promise<boolean> {
    if (this.#held.has(name)) throw new ConflictError("ERR_DURABLE_IN_USE", `a client reads as durable "${name}" now; end its subscription first`);
    const text = await this.#bookmarks.read(durableKey(name));
    if (text === undefined) return false;
    if (!mayForget((JSON.parse(text) as DurableState).owner)) throw notYours("durable", name);
    await this.#bookmarks.write(durableKey(name), undefined);
    return true;
  }

  /** All there are, with where each is. */
  async list(): Promise<{ readonly name: string; readonly owner: string; readonly topics: readonly string[]; readonly epoch: string; readonly seq: number; readonly active: boolean }[]> {
    const stored = await this.#bookmarks.list(durableKey(""));
    return stored.map(([key, text]) => {
      const name = key.slice(durableKey("").length);
      const holder = this.#held.get(name);
      const { owner, topics, epoch, seq } = JSON.parse(holder === undefined ? text : this.#text(holder)) as DurableState;
      return { name, owner, topics, epoch, seq, active: holder !== undefined };
    });
  }

  #text({ cursor, standing }: Holder): string {
    // Not behind a gap of which the client may not have heard: whoever reads on is told again.
    const idle = cursor.window.events === 0 && cursor.place.state !== "closed" && cursor.skipped <= cursor.finished;
    const seq = idle ? this.#placeOf(cursor) : cursor.finished;
    return JSON.stringify({ ...standing, epoch: this.#epoch, seq } satisfies DurableState);
  }
}

export const durableKey = (name: string): string => `durable:${name}`;

export function notYours(kind: "durable" | "group", name: string): PermissionError {
  return new PermissionError("ERR_DURABLE_OWNER", `the ${kind} "${name}" was made under another credential; use that one, or another name`, { details: { [kind]: name } });
}
