import type { Bookmarks } from "./bookmarks.ts";
import { fateOf, type GroupSettings } from "./fate.ts";
import type { Gap } from "./frames.ts";
import { groupState, type GroupState, type Standing } from "./group-state.ts";
import { Intake, type IntakeHome } from "./intake.ts";
import type { Interest } from "./interest.ts";
import type { Failure } from "./failure.ts";
import type { JobOwner, Jobs, Settlement } from "./jobs.ts";
import type { LogEvent } from "./log-event.ts";
import { Retries } from "./retries.ts";
import { Roster, type Member } from "./roster.ts";
import type { SavedJob } from "./saved-session.ts";
import { Waiting, type Entry } from "./waiting.ts";

/** Events that wait for a member, so that priority has something to choose from; and what a group may have open in all. */
const MOST_WAITING = 256;
const MOST_OPEN = 1_000;
const MOST_SIZE = 4 * 1024 * 1024;
/** Milliseconds until what the store refused is tried again. */
const AGAIN = 1_000;

/** What a group needs of its namespace. */
export interface GroupHome extends IntakeHome {
  readonly jobs: Jobs;
  readonly bookmarks: Bookmarks;
  /** Why events up to this seq are gone. */
  goneBy(seq: number): Gap["reason"];
  defer(callback: () => void): void;
  /** Resolves when the record is durable (P6). */
  bury(letter: { readonly subscription: string; readonly event: LogEvent; readonly attempts: number; readonly error: Failure; readonly id: string | undefined }): Promise<void>;
  /** A dead letter that was tried again has been handled. */
  revived(id: string): void;
}

/** A group's entry; `dead`: it is a dead letter that is tried again, and stays one until it is done. */
interface GroupEntry extends Entry { readonly dead?: string | undefined }

/**
 * One cursor that several members share: each event goes to one of them, and to another when it is not acknowledged. The most urgent of what waits goes
 * first, to whoever has the least.
 */
export class Group {
  readonly key: string;
  readonly name: string;
  readonly #roster: Roster;
  readonly #home: GroupHome;
  readonly #waiting = new Waiting<GroupEntry>();
  /** Given to a member, or on their way to the dead letters. */
  readonly #given = new Set<GroupEntry>();
  readonly #retries = new Retries<GroupEntry>();
  readonly #intake: Intake;
  #size = 0;
  #standing: Standing;
  #interest: Interest | undefined;
  #settings: GroupSettings | undefined;
  /** Gaps nobody was there to be told of. */
  #untold: Gap[] = [];
  #scheduled = false;
  /** Deliveries beyond the first, events acknowledged, and events that were dead-lettered. */
  redelivered = 0;
  acked = 0;
  dead = 0;

  /** @param entries what was open when the state was written, and is still in the log */
  constructor(name: string, home: GroupHome, state: GroupState, entries: readonly Entry[], gaps: readonly Gap[]) {
    this.name = name;
    this.key = groupKey(name);
    this.#roster = new Roster(name);
    this.#home = home;
    this.#standing = { owner: state.owner, topics: state.topics, filter: state.filter };
    this.#intake = new Intake(state.after, home, {
      hasRoom: () => this.members.size > 0 && this.#waiting.count < MOST_WAITING && this.open < MOST_OPEN && this.#size < MOST_SIZE,
      take: (event) => this.#take(event),
      gone: (from, to) => this.#skip(from, to, home.goneBy(to)),
      moved: () => {
        this.#changed();
        this.#assign();
      },
    });
    this.#untold = [...gaps];
    for (const entry of entries) this.#await(entry);
  }

  get members(): ReadonlySet<Member> { return this.#roster.members; }
  get owner(): string { return this.#standing.owner; }
  get topics(): readonly string[] { return this.#standing.topics; }
  get interest(): Interest | undefined { return this.#interest; }
  get after(): number { return this.#intake.after; }
  get waiting(): number { return this.#waiting.count; }
  get inFlight(): number { return this.#given.size; }
  get open(): number { return this.#waiting.count + this.#given.size + this.#retries.size; }
  /** Events of the log it has not looked at, and those it has not finished. */
  get lag(): number { return Math.max(0, this.#home.log.head - this.after) + this.open; }

  /** A member comes, with what the group asks for from now on. Returns the interest it replaces, if any. */
  join(member: Member, interest: Interest, standing: Standing, settings: GroupSettings): Interest | undefined {
    const before = this.#interest;
    this.#interest = interest;
    this.#settings = settings;
    const changed = JSON.stringify(standing) !== JSON.stringify(this.#standing);
    this.#standing = standing;
    if (changed) this.#changed();
    this.#roster.members.add(member);
    for (const gap of this.#untold.splice(0)) this.#roster.tellGap(gap);
    this.wake();
    return before;
  }

  /** It gets nothing more; what it has goes to the others, but for the jobs that it will still finish. */
  leave(member: Member, keeping?: ReadonlySet<number>): void {
    this.#roster.members.delete(member);
    this.#home.jobs.leave(member.reader, member.sub, keeping);
    this.wake();
  }

  /** A dead letter of this group is tried again. */
  revive(id: string, event: LogEvent, attempts: number): void {
    for (const entry of this.#all()) if (entry.dead === id) return;
    const entry: GroupEntry = { event, attempts, dead: id };
    this.#await(entry);
    this.wake();
  }

  /** There may be something to do: looked at once the present turn is over. */
  wake(): void {
    if (this.#scheduled || this.members.size === 0) return;
    this.#scheduled = true;
    this.#home.defer(() => {
      this.#scheduled = false;
      this.#work();
    });
  }

  tick(now: number): number | null {
    for (let entry = this.#retries.take(now); entry !== undefined; entry = this.#retries.take(now)) {
      this.#waiting.add(entry);
      this.wake();
    }
    if (this.#intake.tick(now)) this.wake();
    const { next } = this.#retries;
    const { again } = this.#intake;
    return next === null || (again !== null && again < next) ? again : next;
  }

  state(): GroupState {
    return groupState(this.#standing, this.#home.log.epoch, this.after, [...this.#all()].filter(({ dead }) => dead === undefined));
  }

  *#all(): Iterable<GroupEntry> {
    yield* this.#waiting;
    yield* this.#given;
    yield* this.#retries;
  }

  #work(): void {
    this.#assign();
    void this.#intake.fill();
  }

  #take(event: LogEvent): void {
    if (this.#interest!.matches(event) && this.#roster.isForUs(event) && !event.expired(this.#home.now())) this.#await({ event, attempts: 0 });
    else if (this.#interest!.untestable === event) this.#skip(event.seq, event.seq, "filter");
  }

  #assign(): void {
    const none = new Set<Member>();
    for (;;) {
      const member = this.#roster.freest(none);
      if (member === undefined) break;
      const entry = this.#waiting.take(({ event }) => this.#roster.mayHave(member, event));
      if (entry === undefined) none.add(member);
      else if (entry.event.expired(this.#home.now())) this.#finish(entry);
      else this.#give(member, entry);
    }
    if (none.size > 0 && this.#waiting.count > 0) this.#dropForbidden();
  }

  /** What none of the members may read must not hold up the rest; they are told. */
  #dropForbidden(): void {
    const forbidden: GroupEntry[] = [];
    for (;;) {
      const entry = this.#waiting.take(({ event }) => !this.#roster.anyMayHave(event));
      if (entry === undefined) break;
      forbidden.push(entry);
    }
    for (const entry of forbidden) {
      this.#skip(entry.event.seq, entry.event.seq, "revoked");
      this.#finish(entry);
    }
  }

  #give(member: Member, entry: GroupEntry): void {
    if (entry.attempts++ > 0) this.redelivered++;
    this.#changed();
    this.#home.jobs.give(this.#ownerOf(member, entry), entry.event, entry.attempts, this.#settings!.ackTimeout);
  }

  /** The router has slept: the member has it still. */
  resume(member: Member, job: SavedJob): void {
    const [, , seq, attempt, deadline] = job;
    const entry = deadline === 0 ? undefined : this.#waiting.take(({ event }) => event.seq === seq);
    if (entry !== undefined) {
      entry.attempts = attempt;
      this.#home.jobs.restore(this.#ownerOf(member, entry), entry.event, job);
    }
  }

  #ownerOf(member: Member, entry: GroupEntry): JobOwner {
    this.#roster.took(member);
    this.#given.add(entry);
    return {
      reader: member.reader, sub: member.sub,
      settled: (settlement) => this.#settled(entry, settlement),
      released: () => {
        member.busy--;
        this.wake();
      },
    };
  }

  #settled(entry: GroupEntry, settlement: Settlement): void {
    this.wake();
    const fate = fateOf(settlement, entry.attempts, this.#settings!, this.#home.now());
    switch (fate.state) {
      case "finished":
        this.acked++;
        if (entry.dead !== undefined) this.#home.revived(entry.dead);
        return this.#finish(entry);
      case "dead": return void this.#bury(entry, fate.error);
      case "again":
        if (fate.at !== undefined) return this.#retryAt(entry, fate.at);
        this.#given.delete(entry);
        this.#waiting.add(entry);
    }
  }

  /** The record is durable before the group lets go of the event (P6). */
  async #bury(entry: GroupEntry, error: Failure): Promise<void> {
    try {
      await this.#home.bury({ subscription: this.key, event: entry.event, attempts: entry.attempts, error, id: entry.dead });
      this.dead++;
      this.#finish(entry);
    } catch (failure) {
      this.#home.failed(failure);
      this.#retryAt(entry, this.#home.now() + AGAIN);
    }
  }

  #retryAt(entry: GroupEntry, at: number): void {
    this.#given.delete(entry);
    this.#retries.add(at, entry);
    this.#home.wakeBy(at);
    this.#changed();
  }

  #await(entry: GroupEntry): void {
    this.#waiting.add(entry);
    this.#size += entry.event.size;
  }

  #finish(entry: GroupEntry): void {
    this.#given.delete(entry);
    this.#size -= entry.event.size;
    this.#changed();
    this.wake();
  }

  #skip(from: number, to: number, reason: Gap["reason"]): void {
    const gap: Gap = { from, to, epoch: this.#home.log.epoch, reason };
    if (this.members.size === 0) this.#untold.push(gap);
    else this.#roster.tellGap(gap);
  }

  #changed(): void {
    this.#home.bookmarks.changed(this.key, () => JSON.stringify(this.state()));
  }
}

export const groupKey = (name: string): string => `group:${name}`;
