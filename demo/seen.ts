import type { RouterEvent } from "../src/index.ts";

/** Types that are remembered at most, and fields. */
const TYPES = 200;
const FIELDS = 100;
/** How deep a payload is looked into. */
const DEEP = 3;

/** Types of the events that came by, and the fields they had: what the page suggests. An event of a type that is known costs one look-up. */
export class Seen {
  readonly #types = new Set<string>();
  readonly #fields = new Set(["type", "source", "priority", "correlationId"]);

  get types(): readonly string[] { return [...this.#types].toSorted(); }
  get fields(): readonly string[] { return [...this.#fields]; }

  take({ type, payload }: RouterEvent): void {
    if (this.#types.has(type) || this.#types.size >= TYPES) return;
    this.#types.add(type);
    this.#look("payload", payload, 0);
  }

  /** Patterns for what was seen: all of a family where it has several types, then each type. */
  get patterns(): readonly string[] {
    const families = new Map<string, number>();
    for (const type of this.#types) {
      const [family = ""] = type.split(".");
      if (family !== type) families.set(family, (families.get(family) ?? 0) + 1);
    }
    return [...[...families].filter(([, count]) => count > 1).map(([family]) => `${family}.**`).toSorted(), ...this.types];
  }

  #look(path: string, value: unknown, depth: number): void {
    if (typeof value !== "object" || value === null || Array.isArray(value) || depth === DEEP) {
      if (depth > 0 && this.#fields.size < FIELDS) this.#fields.add(path);
      return;
    }
    for (const [name, below] of Object.entries(value)) this.#look(`${path}.${name}`, below, depth + 1);
  }
}
