import { ConflictError } from "./errors.ts";
import type { From, Gap } from "./frames.ts";
import { Group, groupKey, type GroupHome } from "./group.ts";
import type { Member } from "./roster.ts";
import type { GroupState, Standing } from "./group-state.ts";
import type { Interest } from "./interest.ts";
import type { Keeping } from "./subscribe-spec.ts";
import { notYours } from "./durables.ts";
import type { Entry } from "./waiting.ts";

/** The groups of a namespace by name: each is read from its bookmark when the first member comes. */
export class Groups {
  readonly #home: GroupHome;
  readonly #start: (from: From) => Promise<{ after: number; gap?: Gap }>;
  readonly #release: (interest: Interest) => void;
  readonly #groups = new Map<string, Promise<Group>>();
  readonly #loaded = new Map<string, Group>();

  constructor(options: { home: GroupHome; start(from: From): Promise<{ after: number; gap?: Gap }>; release(interest: Interest): void }) {
    this.#home = options.home;
    this.#start = options.start;
    this.#release = options.release;
  }

  /** Those that had a member since the start. */
  get loaded(): Iterable<Group> { return this.#loaded.values(); }

  /**
   * The group, made if it is new; its first place is durable then.
   * @throws PermissionError if the name is somebody else's, ConflictError `ERR_GROUP_DIFFERS` if its members ask for something else.
   */
  async open({ name }: Keeping & { as: "group" }, interest: Interest, standing: Standing, from: From): Promise<Group> {
    let opening = this.#groups.get(name);
    if (opening === undefined) {
      opening = this.#read(name).then((group) => group ?? this.#make(name, standing, from));
      this.#groups.set(name, opening);
      opening.then((group) => this.#loaded.set(name, group), () => this.#groups.delete(name));
    }
    const group = await opening;
    if (group.owner !== standing.owner) throw notYours("group", name);
    if (group.members.size > 0 && group.interest !== interest) throw new ConflictError("ERR_GROUP_DIFFERS", `the members of group "${name}" ask for ${JSON.stringify(group.interest!.topics)}, perhaps with another filter; members share one cursor, so ask for the same, or use another name`, { details: { group: name } });
    return group;
  }

  join(group: Group, member: Member, interest: Interest, standing: Standing, { settings }: Keeping & { as: "group" }): void {
    const before = group.join(member, interest, standing, settings);
    if (before !== undefined) this.#release(before);
  }

  /** The log has grown. */
  appended(): void {
    for (const group of this.#loaded.values()) group.wake();
  }

  tick(now: number): number | null {
    let due: number | null = null;
    for (const group of this.#loaded.values()) {
      const next = group.tick(now);
      if (next !== null && (due === null || next < due)) due = next;
    }
    return due;
  }

  /** One that is loaded. */
  find(name: string): Group | undefined { return this.#loaded.get(name); }

  /** A group by its name, if there is one. */
  async get(name: string): Promise<Group | undefined> {
    const opening = this.#groups.get(name);
    if (opening !== undefined) return opening;
    const group = await this.#read(name);
    if (group === undefined) return undefined;
    // Another may have come first meanwhile.
    const first = this.#groups.get(name);
    if (first !== undefined) return first;
    this.#groups.set(name, Promise.resolve(group));
    this.#loaded.set(name, group);
    return group;
  }

  /** @throws ConflictError if it has members, PermissionError if it is somebody else's. */
  async forget(name: string, mayForget: (owner: string) => boolean): Promise<boolean> {
    const group = await this.get(name);
    if (group === undefined) return false;
    if (!mayForget(group.owner)) throw notYours("group", name);
    if (group.members.size > 0) throw new ConflictError("ERR_DURABLE_IN_USE", `group "${name}" has ${group.members.size} members now; end their subscriptions first`);
    this.#groups.delete(name);
    this.#loaded.delete(name);
    if (group.interest !== undefined) this.#release(group.interest);
    await this.#home.bookmarks.write(groupKey(name), undefined);
    return true;
  }

  /** They are another router's now. */
  leave(): void {
    for (const { interest } of this.#loaded.values()) if (interest !== undefined) this.#release(interest);
    this.#groups.clear();
    this.#loaded.clear();
  }

  /** All there are, with where each is. */
  async list(): Promise<{ readonly name: string; readonly owner: string; readonly topics: readonly string[]; readonly epoch: string; readonly seq: number; readonly open: number; readonly members: number; readonly inFlight: number }[]> {
    const stored = await this.#home.bookmarks.list(groupKey(""));
    return stored.map(([key, text]) => {
      const name = key.slice(groupKey("").length);
      const group = this.#loaded.get(name);
      const state = group?.state() ?? (JSON.parse(text) as GroupState);
      return { name, owner: state.owner, topics: state.topics, epoch: state.epoch, seq: group?.after ?? state.after, open: group?.open ?? state.open.length, members: group?.members.size ?? 0, inFlight: group?.inFlight ?? 0 };
    });
  }

  async #make(name: string, standing: Standing, from: From): Promise<Group> {
    const { after, gap } = await this.#start(from);
    const state: GroupState = { ...standing, epoch: this.#home.log.epoch, after, open: [] };
    await this.#home.bookmarks.write(groupKey(name), JSON.stringify(state));
    return new Group(name, this.#home, state, [], gap === undefined ? [] : [gap]);
  }

  /** As its bookmark says; what is no longer in the log is a gap. */
  async #read(name: string): Promise<Group | undefined> {
    const { log, bookmarks } = this.#home;
    const text = await bookmarks.read(groupKey(name));
    if (text === undefined) return undefined;
    const state = JSON.parse(text) as GroupState;
    const { after, gap } = await this.#start([state.epoch, state.after]);
    const entries: Entry[] = [];
    const gaps: Gap[] = gap === undefined ? [] : [gap];
    for (const [seq, attempts] of state.epoch === log.epoch ? state.open : []) {
      const [event] = await log.read(seq - 1, { events: 1, size: 1 });
      if (event?.seq === seq) entries.push({ event, attempts });
      else gaps.push({ from: seq, to: seq, epoch: log.epoch, reason: "retention" });
    }
    return new Group(name, this.#home, { ...state, after }, entries, gaps);
  }
}
