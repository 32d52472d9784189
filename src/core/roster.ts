import type { Gap } from "./frames.ts";
import type { LogEvent } from "./log-event.ts";
import { mayReadEvent } from "./secrecy.ts";
import type { Reader } from "./reader.ts";

/** A subscription that shares the work of a group. */
export interface Member {
  readonly reader: Reader;
  readonly sub: number;
  readonly maxInFlight: number;
  /** Events it has. */
  busy: number;
}

/** The members of a group, and whose turn it is. */
export class Roster {
  /** The group's: events may have it as their target. */
  readonly #name: string;
  readonly members = new Set<Member>();
  readonly #lastTurn = new WeakMap<Member, number>();
  #turn = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Of those that have room, and are not among these, the one with the least; in turn among equals. */
  freest(except: ReadonlySet<Member>): Member | undefined {
    let best: Member | undefined;
    for (const member of this.members) {
      if (member.busy >= member.maxInFlight || except.has(member) || member.reader.room <= 0) continue;
      if (best === undefined || member.busy < best.busy || (member.busy === best.busy && this.#turnOf(member) < this.#turnOf(best))) best = member;
    }
    return best;
  }

  /** It has been given something. */
  took(member: Member): void {
    this.#lastTurn.set(member, ++this.#turn);
    member.busy++;
  }

  /** Whether an event is for this member: its rights are those of now, and a target is a member's name or the group's. */
  mayHave({ reader }: Member, event: LogEvent): boolean {
    const { target } = event;
    return mayReadEvent(reader.rights, event) && (target === undefined || target === reader.name || target === this.#name);
  }

  /** Whether it is for any of them, busy or not. */
  anyMayHave(event: LogEvent): boolean {
    for (const member of this.members) if (this.mayHave(member, event)) return true;
    return false;
  }

  /** Whether an event with a target, if it has one, is for this group at all. */
  isForUs({ target }: LogEvent): boolean {
    return target === undefined || target === this.#name || [...this.members].some(({ reader }) => reader.name === target);
  }

  tellGap(gap: Gap): void {
    for (const { reader, sub } of this.members) reader.tell(JSON.stringify(["gap", sub, gap]));
  }

  #turnOf(member: Member): number { return this.#lastTurn.get(member) ?? 0; }
}
