import { checkReach, entitle } from "./entitle.ts";
import { asError, SubscriptionError, toWire, ValidationError } from "./errors.ts";
import { count, malformed, record } from "./frame-reader.ts";
import type { From, Gap } from "./frames.ts";
import type { Group } from "./group.ts";
import type { Member } from "./roster.ts";
import type { Standing } from "./group-state.ts";
import type { Interest } from "./interest.ts";
import type { Settlement } from "./jobs.ts";
import { readFailure } from "./failure.ts";
import type { Membership, Spec } from "./membership.ts";
import type { Namespace } from "./namespace.ts";
import { isLeadLost } from "./peers.ts";
import { assertPattern } from "./pattern.ts";
import type { Action, Principal, Rights } from "./policy.ts";
import type { Cursor, Reader } from "./reader.ts";
import type { Responder } from "./requests.ts";
import { saveCursor } from "./save.ts";
import type { SavedOpenSession } from "./saved-session.ts";
import { readSubscribing, type Keeping, type Subscribing } from "./subscribe-spec.ts";

const NONE: ReadonlyMap<number, never> = new Map<number, never>();

/** The session whose handles they are. */
export interface HandlesHome {
  readonly namespace: Namespace;
  readonly reader: Reader;
  readonly principal: Principal;
  /** A subscription counts. @throws `ERR_RATE_LIMIT` if it is one too many. */
  spend(kind: "subscribe"): void;
  tell(frame: readonly unknown[]): void;
  /** Whether the leader has something under this id. */
  elsewhere(id: number): boolean;
}

/** What one session listens to and answers: its cursors, memberships and responders, under ids of the client's choice. */
export class Handles {
  readonly #home: HandlesHome;
  // Made when they are needed: most sessions only have cursors.
  #memberships: Map<number, Membership> | undefined;
  #responders: Map<number, Responder> | undefined;
  /** Subscriptions that are being opened, each by the attempt that does: another's, or none, and it was ended meanwhile. */
  #opening: Map<number, Spec> | undefined;

  constructor(home: HandlesHome) {
    this.#home = home;
  }

  get memberships(): ReadonlyMap<number, Membership> { return this.#memberships ?? NONE; }
  get #namespace(): Namespace { return this.#home.namespace; }
  get #reader(): Reader { return this.#home.reader; }

  /** Whether it has something that takes one mind for the namespace. */
  get bound(): boolean {
    const named = (spec: Spec): boolean => spec.durable !== undefined || spec.group !== undefined;
    return this.memberships.size > 0 || (this.#responders?.size ?? 0) > 0 || [...this.#opening?.values() ?? []].some(named) || [...this.#reader.cursors.values()].some(({ durable }) => durable !== undefined) || this.#namespace.work.jobs.has(this.#reader);
  }

  /** The session has other rights now. */
  entitle(rights: Rights): void {
    entitle(rights, { namespace: this.#namespace, reader: this.#reader, memberships: this.#memberships, responders: this.#responders, tell: (frame) => this.#home.tell(frame) });
  }

  async subscribe(id: number, spec: Spec): Promise<void> {
    // An object of its own: a later attempt may ask for the same.
    const attempt = { ...spec };
    const arrived = (): boolean => this.#opening?.get(id) === attempt && this.#opened(id);
    const refuse = (error: unknown): void => this.#home.tell(["end", id, toWire(asError(error, (cause) => new SubscriptionError("ERR_STORE", "the subscription's place in the log could not be read; subscribe again later", { retryable: true, cause })))]);
    let topics: readonly string[];
    let subscribing: Subscribing;
    try {
      topics = this.#newHandle(id, "subscribe", spec.topics);
      subscribing = readSubscribing(spec, this.#namespace.limits);
    } catch (error) {
      return refuse(error);
    }
    (this.#opening ??= new Map()).set(id, attempt);
    const { lead } = this.#namespace;
    try {
      const { keeping } = subscribing;
      if (keeping.as === "group") await this.#join(id, topics, spec, subscribing, keeping, arrived);
      else await this.#open(id, topics, subscribing, keeping, arrived);
    } catch (error) {
      if (isLeadLost(error)) this.#namespace.company?.refused(lead);
      if (arrived()) refuse(error);
    }
  }

  /** Whether it was being opened until now. */
  #opened(id: number): boolean {
    const was = this.#opening?.delete(id) === true;
    if (this.#opening?.size === 0) this.#opening = undefined;
    return was;
  }

  async #open(id: number, topics: readonly string[], { filter, from }: Subscribing, keeping: Exclude<Keeping, { as: "group" }>, arrived: () => boolean): Promise<void> {
    const namespace = this.#namespace;
    const durable = keeping.as === "durable" ? keeping.name : undefined;
    const place = (): Promise<{ cursor: Cursor; gap?: Gap }> => this.#place(id, topics, filter, from, durable);
    const { cursor, gap } = await (durable === undefined ? place() : namespace.work.durables.inTurn(durable, place));
    if (cursor.place.state === "closed") return;
    if (!arrived()) return namespace.unsubscribe(cursor);
    this.#reader.cursors.set(id, cursor);
    this.#home.tell(["on", id, namespace.log.epoch, namespace.placeOf(cursor)]);
    if (gap !== undefined) this.#home.tell(["gap", id, gap]);
    namespace.begin(cursor);
  }

  /** A cursor where it begins; a named one has its name then. */
  async #place(id: number, topics: readonly string[], filter: Subscribing["filter"], from: From, durable: string | undefined): Promise<{ cursor: Cursor; gap?: Gap }> {
    const namespace = this.#namespace;
    const { durables } = namespace.work;
    const standing: Standing = { owner: this.#owner, topics, filter };
    const start = durable === undefined ? from : await durables.find(durable, standing.owner, from);
    const { cursor, gap } = await namespace.subscribe(this.#reader, { id, topics, filter, from: start, durable });
    try {
      if (durable !== undefined) await durables.hold(durable, { cursor, standing, taken: () => this.#taken(cursor, durable) });
      // The rights may be others by now.
      checkReach(this.#reader.rights, "subscribe", topics);
    } catch (error) {
      namespace.unsubscribe(cursor);
      throw error;
    }
    return { cursor, ...(gap !== undefined && { gap }) };
  }

  async #join(id: number, topics: readonly string[], spec: Spec, { filter, from }: Subscribing, keeping: Keeping & { as: "group" }, arrived: () => boolean): Promise<void> {
    const namespace = this.#namespace;
    const { groups } = namespace.work;
    const interest = namespace.interested(topics, filter);
    const standing: Standing = { owner: this.#owner, topics, filter };
    try {
      const group = await groups.open(keeping, interest, standing, from);
      checkReach(this.#reader.rights, "subscribe", topics);
      if (!arrived()) return namespace.disinterested(interest);
      this.#home.tell(["on", id, namespace.log.epoch, group.after]);
      this.#become(id, topics, spec, group, interest, standing, keeping);
    } catch (error) {
      namespace.disinterested(interest);
      throw error;
    }
  }

  #become(id: number, topics: readonly string[], spec: Spec, group: Group, interest: Interest, standing: Standing, keeping: Keeping & { as: "group" }): Member {
    const member: Member = { reader: this.#reader, sub: id, maxInFlight: keeping.maxInFlight, busy: 0 };
    (this.#memberships ??= new Map()).set(id, { group, member, topics, spec });
    this.#namespace.work.groups.join(group, member, interest, standing, keeping);
    return member;
  }

  /** Another session reads on under the durable name. */
  #taken(cursor: Cursor, name: string): void {
    const { id } = cursor;
    this.#namespace.unsubscribe(cursor);
    if (this.#reader.cursors.get(id) === cursor) this.#reader.cursors.delete(id);
    else if (!this.#opened(id)) return;
    this.#home.tell(["end", id, toWire(new SubscriptionError("ERR_DURABLE_TAKEN", `another client reads as durable "${name}" now; give each its own name, or let them share the work as a group`))]);
  }

  serve(id: number, patterns: unknown): void {
    try {
      this.#offer({ id, reader: this.#reader, patterns: this.#newHandle(id, "respond", patterns), open: 0 });
      this.#home.tell(["on", id, this.#namespace.log.epoch, this.#namespace.dispatcher.head]);
    } catch (error) {
      this.#home.tell(["end", id, toWire(asError(error, (cause) => malformed("serve", cause)))]);
    }
  }

  responder(id: number): Responder | undefined { return this.#responders?.get(id); }

  #offer(responder: Responder): void {
    (this.#responders ??= new Map()).set(responder.id, responder);
    this.#namespace.requests.serve(responder);
  }

  /** What it takes to go on as if nothing had been, after the router has slept. */
  save(): Pick<SavedOpenSession, "cursors" | "responders" | "opening" | "memberships" | "jobs" | "lastToken"> {
    const { jobs } = this.#namespace.work;
    const cursors = [...this.#reader.cursors.values()].map(saveCursor);
    const responders = [...this.#responders?.values() ?? []].map((one) => [one.id, one.patterns] as const);
    const memberships = [...this.memberships].map(([id, { spec }]) => [id, spec] as const);
    const own = jobs.save(this.#reader);
    return {
      ...(cursors.length > 0 && { cursors }), ...(responders.length > 0 && { responders }), ...(this.#opening && { opening: [...this.#opening] }),
      ...(memberships.length > 0 && { memberships }), ...(own.length > 0 && { jobs: own }), lastToken: jobs.lastToken,
    };
  }

  /** Takes up what was saved; nothing is sent before `resumed`. The groups are loaded. */
  resume({ cursors = [], responders = [], memberships = [], jobs = [], lastToken }: SavedOpenSession, head: number): void {
    const namespace = this.#namespace;
    const { work } = namespace;
    work.jobs.resume(lastToken);
    for (const saved of cursors) {
      const cursor = namespace.resume(this.#reader, saved, head);
      this.#reader.cursors.set(saved.id, cursor);
      const { durable, interest: { topics, filter } } = cursor;
      if (durable !== undefined) work.durables.resume(durable, { cursor, standing: { owner: this.#owner, topics, filter }, taken: () => this.#taken(cursor, durable) });
    }
    for (const [id, patterns] of responders) this.#offer({ id, reader: this.#reader, patterns, open: 0 });
    for (const [id, spec] of memberships) {
      const { filter, keeping } = readSubscribing(spec, namespace.limits);
      const group = keeping.as === "group" ? work.groups.find(keeping.name) : undefined;
      if (keeping.as !== "group" || group === undefined) continue;
      const topics = spec.topics as readonly string[];
      const member = this.#become(id, topics, spec, group, namespace.interested(topics, filter), { owner: this.#owner, topics, filter }, keeping);
      for (const job of jobs) if (job[0] === id) group.resume(member, job);
    }
  }

  /** All sessions are there again: goes on. */
  resumed(opening: SavedOpenSession["opening"] = []): void {
    for (const cursor of this.#reader.cursors.values()) this.#namespace.begin(cursor);
    for (const [id, spec] of opening) void this.subscribe(id, spec);
  }

  /** `["unsub", id, …tokens of jobs whose handlers run on]` */
  leave(args: readonly unknown[]): void {
    const id = count(args[0], "id");
    const keeping = new Set(args.slice(1).map((token) => count(token, "token")));
    const cursor = this.#reader.cursors.get(id);
    const membership = this.memberships.get(id);
    const responder = this.#responders?.get(id);
    if (cursor !== undefined) {
      this.#reader.cursors.delete(id);
      this.#namespace.unsubscribe(cursor);
      this.#namespace.work.jobs.leave(this.#reader, id, keeping);
    } else if (membership !== undefined) {
      this.#memberships!.delete(id);
      membership.group.leave(membership.member, keeping);
    } else if (responder !== undefined) {
      this.#responders!.delete(id);
      this.#namespace.requests.retire(responder);
    } else this.#opened(id);
    this.#home.tell(["end", id]);
  }

  /** `["ack", received, sub, seq, …]` */
  ack([received, ...done]: readonly unknown[]): void {
    const reader = this.#reader;
    const { work, catchUp } = this.#namespace;
    reader.received(count(received, "received"));
    for (let i = 0; i < done.length; i += 2) {
      const seq = count(done[i + 1], "seq");
      const cursor = reader.cursors.get(count(done[i], "subscription"));
      if (cursor === undefined) continue;
      cursor.finish(seq);
      if (cursor.durable !== undefined) work.durables.progressed(cursor.durable, cursor);
    }
    for (const cursor of reader.cursors.values()) catchUp.wake(cursor);
    for (const { group } of this.memberships.values()) group.wake();
  }

  /** `["done", sub, token, …]` */
  done([sub, ...tokens]: readonly unknown[]): void {
    const id = count(sub, "subscription");
    for (const token of tokens) this.#settle(id, count(token, "token"), { state: "done" });
  }

  /** `["nack", sub, token, { error, delay, final }]` */
  nack([sub, token, how]: readonly unknown[]): void {
    const { error, delay, final } = how === undefined ? {} : record(how, "nack");
    this.#settle(count(sub, "subscription"), count(token, "token"), {
      state: "failed", error: readFailure(error), delay: delay === undefined ? undefined : count(delay, "delay"), final: final === true,
    });
  }

  #settle(sub: number, token: number, settlement: Settlement): void {
    this.#namespace.work.jobs.settle(this.#reader, sub, token, settlement);
  }

  /** The session is over: everything it has is let go. */
  close(): void {
    const namespace = this.#namespace;
    this.#opening = undefined;
    for (const cursor of this.#reader.cursors.values()) namespace.unsubscribe(cursor);
    this.#reader.cursors.clear();
    namespace.dispatcher.forget(this.#reader);
    for (const { group, member } of this.memberships.values()) group.leave(member);
    this.#memberships = undefined;
    namespace.work.jobs.leave(this.#reader);
    for (const responder of this.#responders?.values() ?? []) namespace.requests.retire(responder);
    this.#responders = undefined;
  }

  /** Checks that the id is free and the patterns are sound and allowed; a pattern that reaches beyond what is allowed is refused whole. */
  #newHandle(id: number, action: Action, patterns: unknown): readonly string[] {
    const { limits } = this.#namespace;
    const { cursors } = this.#reader;
    const others = [cursors, this.#memberships, this.#responders, this.#opening];
    if (others.some((handles) => handles?.has(id)) || this.#home.elsewhere(id)) throw new SubscriptionError("ERR_SUBSCRIPTION_ID", `this session has a subscription ${id} already; use another id`);
    if (others.reduce((sum, handles) => sum + (handles?.size ?? 0), 0) >= limits.subscriptions) throw new SubscriptionError("ERR_TOO_MANY_SUBSCRIPTIONS", `a session may have ${limits.subscriptions} subscriptions; end some, or use wider patterns`);
    if (!Array.isArray(patterns) || patterns.length === 0 || patterns.length > limits.topics) throw new ValidationError("ERR_PATTERN", `topics must be 1 to ${limits.topics} patterns`, { details: { path: "topics" } });
    for (const pattern of patterns as unknown[]) assertPattern(pattern);
    checkReach(this.#home.principal.rights, action, patterns as string[]);
    this.#home.spend("subscribe");
    return patterns as string[];
  }

  get #owner(): string { return this.#home.principal.subject ?? ""; }
}
