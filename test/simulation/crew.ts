import type { RouterEvent } from "../../src/core/event.ts";
import type { Gap } from "../../src/core/frames.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import type { Crew, Sighting } from "../support/history.ts";
import type { GROUPS } from "./plan.ts";
import { sightingOf } from "./sighting.ts";
import type { Truth } from "./truth.ts";

/** What the members of one group in one namespace do, written down. */
export class RecordedCrew implements Crew {
  readonly name: string;
  readonly namespace: string;
  readonly group: (typeof GROUPS)[number];
  readonly given: Sighting[] = [];
  readonly done: Sighting[] = [];
  readonly gaps: Gap[] = [];
  readonly #truth: Truth;
  readonly #after = new Map<string, number>();

  constructor(namespace: string, group: (typeof GROUPS)[number], truth: Truth) {
    this.name = `group ${group.name} of ${namespace}`;
    this.namespace = namespace;
    this.group = group;
    this.#truth = truth;
  }

  get dead(): ReadonlySet<number> { return this.#truth.dead(this.namespace, `group:${this.group.name}`); }
  readonly after = (epoch: string): number | undefined => this.#after.get(epoch);

  readonly wants = ({ type, target }: Sighting): boolean => target === undefined && this.group.topics.some((pattern) => matchesPattern(pattern, type));

  /** A member is there: what is in this life of the log is owed. */
  began(epoch: string): void {
    if (!this.#after.has(epoch)) this.#after.set(epoch, this.#truth.trimmedTo(this.namespace, epoch));
  }

  take(event: RouterEvent): Sighting {
    const sighting = sightingOf(event, event.epoch);
    if (event.target === undefined) this.given.push(sighting);
    return sighting;
  }
}
