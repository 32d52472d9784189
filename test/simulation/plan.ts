import type { Filter } from "../../src/core/filter.ts";
import { cellOf, cells, type Fault } from "./faults.ts";
import { Random } from "./random.ts";
import { RELEASES, type Release } from "./releases.ts";
import type { Restriction } from "./rights.ts";
import type { StorageOptions } from "./simulated-store.ts";

export const TYPES = ["a.x", "a.y", "b.x", "c", "a.x.z"] as const;
const PATTERNS: readonly (readonly string[])[] = [["**"], ["**"], ["a.*"], ["*.x"], ["c", "b.x"], ["a.**"]];
export const NAMESPACES = ["default", "other"] as const;

/** What an application does at a time. */
export type Op = { readonly at: number; readonly client: number } & (
  | { readonly do: "publish"; readonly how: "each" | "nowait" | "ephemeral" | "abort"; readonly types: readonly string[]; readonly pad: number; readonly timeout: number; readonly target?: number; /** ms between one event and the next. */ readonly apart?: number }
  | { readonly do: "publish own id"; readonly key: number; readonly changed: boolean }
  | { readonly do: "publish later"; readonly type: string; readonly delay: number; readonly own?: number }
  | { readonly do: "retry dead" }
  | { readonly do: "restrict"; readonly to: Restriction }
  | { readonly do: "together"; readonly how: "transaction" | "publishBatch"; readonly types: readonly string[]; readonly pad: number; readonly timeout: number }
  | { readonly do: "subscribe"; readonly standing: Standing }
  | { readonly do: "unsubscribe"; readonly which: number }
  | { readonly do: "respond"; readonly type: string; readonly ms: number }
  | { readonly do: "request"; readonly type: string; readonly timeout: number; readonly abort: boolean }
  | { readonly do: "call"; readonly method: string }
  | { readonly do: "reconnect" | "restart" | "leave" }
);

/** Groups of each namespace: members of one must ask for the same. */
export const GROUPS = [
  { name: "g0", topics: ["a.**"], ackTimeout: 800, maxRetries: 1 },
  { name: "g1", topics: ["**"], ackTimeout: 3_000, maxRetries: 2 },
] as const;

/** What an application subscribes to, each time it starts. */
export interface Standing {
  readonly topics: readonly string[];
  readonly filter?: Filter;
  readonly from: "now" | "start" | { readonly seq: number } | { readonly ago: number };
  readonly handler: "at once" | "slow" | "throws" | "iterates";
  readonly concurrency: number;
  /** ms a slow handler takes, at most. */
  readonly ms: number;
}

export interface ClientPlan {
  /** It is a tab of a browser, and shares its connection with the others. */
  readonly tab?: true;
  readonly namespace: string;
  readonly name?: string;
  readonly timeout: number;
  readonly batchSize: number;
  readonly poolSize: number;
  /** What it reads on where its process before it stopped. */
  readonly durable?: readonly string[];
  readonly release: Release;
  /** Groups of which it is a member. */
  readonly groups: readonly (typeof GROUPS)[number][];
}

/** A client of two namespaces, that publishes in one what it reads in the other. */
export interface BridgePlan {
  readonly from: string;
  readonly to: string;
  readonly timeout: number;
}

/** A page that reads server-sent events. */
export interface PagePlan {
  readonly namespace: string;
  readonly topics: readonly string[];
  readonly from: "now" | "start";
  /** ms it takes for a piece of its stream, so long as the world is not healed. */
  readonly slow: number;
}

/** All that a simulation is made of. Leaving out an operation or a fault leaves the rest as it is. */
export interface Plan {
  readonly seed: number;
  readonly storage: StorageOptions["kind"];
  readonly routers: number;
  readonly clients: readonly ClientPlan[];
  readonly bridge?: BridgePlan;
  readonly pages: readonly PagePlan[];
  /** Of router `i` in its life `n`: the one at `i + n`, round and round. */
  readonly releases: readonly Release[];
  readonly limits: { readonly windowEvents: number; readonly windowSize: number; readonly batch: number };
  readonly tail: { readonly events: number; readonly size: number };
  readonly retention: { readonly maxEvents?: number; readonly maxAge?: number };
  readonly heartbeat: number;
  /** ms that a message, and an operation of a store, take at most. */
  readonly latency: number;
  readonly storeLatency: number;
  /** ms until nothing new is done and nothing more goes wrong. */
  readonly duration: number;
  readonly ops: readonly Op[];
  readonly faults: readonly Fault[];
}

/** The plan of a seed, with a fault besides that comes at the first opportunity. */
export function planWith(seed: number, fault: string): Plan {
  const [at, verdict] = cells.find(([step, what]) => cellOf(step, what) === fault) ?? [];
  if (at === undefined || verdict === undefined) throw new Error(`there is no fault "${fault}"; say one as "${cellOf(...cells[0]!)}"`);
  const plan = planOf(seed);
  const random = new Random(seed, "one more");
  return { ...plan, faults: [{ at, verdict, ms: random.whole(100, 4_000), behind: random.chance(0.5), skip: 0 }, ...plan.faults.slice(0, 4)] };
}

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const random = new Random(seed, "plan");
  const storage = random.weighted<Plan["storage"]>([[25, "memory"], [35, "sqlite"], [40, "shared"]]);
  const routers = storage === "shared" ? random.whole(1, 3) : 1;
  const duration = random.whole(4_000, 14_000);
  const retention = random.weighted<Plan["retention"]>([[4, {}], [3, { maxEvents: random.whole(8, 60) }], [2, { maxAge: random.whole(1_000, 5_000) }]]);
  const windowEvents = random.whole(2, 16);
  // In some worlds all is of one release.
  const mixed = random.chance(0.4);
  const release = (): Release => (mixed ? random.one(RELEASES) : "this");
  const releases = [release(), release(), release()];
  const tabs = random.chance(0.45) ? random.whole(2, 4) : 0;
  const clients = Array.from({ length: random.whole(2, 6) }, (_, i): ClientPlan => ({
    namespace: i > 1 && random.chance(0.3) ? NAMESPACES[1] : NAMESPACES[0],
    // Those that say the same of themselves share a connection.
    ...(i < tabs ? { tab: true, name: "n0" } : random.chance(0.7) && { name: `n${i % 3}` }),
    timeout: random.one([1_500, 5_000, 20_000]),
    batchSize: random.chance(0.2) ? random.whole(2, 5) : 1,
    poolSize: random.chance(0.1) ? 2 : 1,
    ...(storage !== "memory" && random.chance(0.35) && { durable: random.one(PATTERNS) }),
    release: release(),
    groups: GROUPS.filter(() => random.chance(0.45)),
  }));
  const bridge = storage !== "memory" && random.chance(0.3) ? { from: NAMESPACES[0], to: NAMESPACES[1], timeout: random.one([1_500, 5_000]) } : undefined;
  const pages = Array.from({ length: random.weighted([[7, 0], [2, 1], [1, 2]]) }, (): PagePlan => ({ namespace: random.one([NAMESPACES[0], NAMESPACES[0], NAMESPACES[1]]), topics: random.one(PATTERNS), from: random.one(["start", "now"]), slow: random.one([0, 700, 3_000]) }));
  const ops = operations(new Random(seed, "operations"), clients, duration, retention.maxEvents === undefined && retention.maxAge === undefined);
  return {
    seed, storage, routers, clients, duration, retention, releases, pages, ops, ...(bridge !== undefined && { bridge }),
    limits: { windowEvents, windowSize: random.one([1_800, 4_000, 20_000]), batch: 20 },
    tail: random.chance(0.6) ? { events: random.whole(2, 8), size: 1_500 } : { events: 64, size: 20_000 },
    heartbeat: random.one([1_000, 3_000]),
    latency: random.one([2, 20, 200]),
    storeLatency: random.one([0, 5, 100]),
    faults: faultsOf(seed, new Random(seed, "faults"), (at) => reaches({ storage, bridge, clients, pages }, at)),
  };
}

/** Low discrepancy: seeds that follow each other reach all kinds evenly, sooner than by chance. */
const GOLDEN = 0.618_033_988_749_895;

function faultsOf(seed: number, random: Random, possibly: (at: string) => boolean): Fault[] {
  const possible = cells.filter(([at, verdict]) => verdict !== "met" && possibly(at)).map((cell) => [weight(cell[0]), cell] as const);
  const all = possible.reduce((sum, [weight]) => sum + weight, 0);
  return Array.from({ length: random.weighted([[1, 0], [2, 8], [7, 40]]) }, (_, i) => {
    let place = (((seed % 1_000_000) * 17 + i) * GOLDEN % 1) * all;
    const [, [at, verdict]] = possible.find(([weight]) => (place -= weight) < 0) ?? possible.at(-1)!;
    const ms = verdict === "slow" || verdict === "delay" ? random.whole(200, 4_000) : random.whole(100, possibly("peer:say") ? 9_000 : 6_000);
    return { at, verdict, ms, behind: random.chance(0.5), skip: RARE.has(at.replace(TAB, "")) ? 0 : Math.floor(5 * random.next() ** 2) };
  });
}

/** Of the leader, and of routers among themselves. */
const PEERS = /^peer:|^store:(claim|release)$/;

/** Whether a world has what a step is about. */
export function reaches({ storage, bridge, clients, pages }: Pick<Plan, "storage" | "clients" | "pages"> & { readonly bridge?: BridgePlan | undefined }, at: string): boolean {
  if (at.startsWith("sql:")) return storage === "sqlite";
  if (at.startsWith(TAB)) return clients.some(({ tab }) => tab === true);
  if (at.startsWith("sse:")) return pages.length > 0;
  if (at.startsWith("bridge:")) return bridge !== undefined;
  return storage === "shared" || !PEERS.test(at);
}

/** How the steps between a tab and its hub begin. */
const TAB = "tab ";

/** How much more often than others a step is chosen. One world of three has tabs, and they say less to their hub than clients to routers. */
const weight = (at: string): number => (at.startsWith(TAB) ? (TABS.get(at) ?? 4) : 1) * (RARE.get(at.replace(TAB, "")) ?? 1);

/** Steps that come seldom, and how much more often they are chosen: what waits for one strikes the first. */
const RARE: ReadonlyMap<string, number> = new Map([
  ["up:unsub", 2.6], ["up:fail", 14], ["up:cancel", 2.9], ["up:bye", 16], ["up:answer", 5.2], ["up:call", 1.8], ["up:ping", 3], ["up:req", 1.5], ["up:serve", 1.6],
  ["up:done", 1.9], ["up:nack", 3], ["down:job", 1.5], ["store:readBookmark", 1.5], ["store:writeBookmarks", 1.5],
  ["down:mix", 2.2], ["down:gap", 3.5], ["down:end", 2.6], ["down:err", 1.6], ["down:bye", 1.6], ["down:pong", 5.5], ["down:ask", 2], ["down:ok", 2.4],
  ["store:seqBefore", 1.4], ["store:trim", 3], ["store:read", 1.7], ["sql:BEGIN", 3.5], ["sql:COMMIT", 4.5], ["sql:block", 4], ["sql:mark", 3.5], ["sql:id", 5.5], ["sql:first", 18], ["sql:drop", 20], ["store:append", 1.3],
  ["peer:become", 9], ["peer:free", 10], ["peer:left", 4.5], ["peer:say", 3], ["peer:join", 3], ["peer:open", 3.7], ["peer:beat", 4.5], ["peer:broken", 7], ["peer:lead", 7], ["peer:pass", 7], ["store:claim", 2.6], ["store:release", 4],
  ["up:pub", 1.2], ["down:ev", 1.5], ["down:pub", 1.4], ["down:on", 1.2], ["bridge:take", 6], ["sse:open", 4], ["sse:retry", 4], ["sse:id", 4], ["sse:data", 7], ["sse:gap", 60], ["bridge:done", 9],
]);

/** Of steps between tabs and their hub, where it is not four times as much as of the same between clients and routers. */
const TABS: ReadonlyMap<string, number> = new Map([
  ["tab down:ask", 24], ["tab down:err", 20], ["tab up:done", 20], ["tab down:gap", 24], ["tab down:ok", 20], ["tab down:mix", 11], ["tab up:answer", 28], ["tab up:nack", 18], ["tab down:job", 9], ["tab down:ev", 6], ["tab down:end", 7],
  ["tab up:hello", 3.5], ["tab down:welcome", 3.5], ["tab down:bye", 2.5], ["tab up:ack", 3], ["tab up:sub", 3],
]);

function operations(random: Random, clients: readonly ClientPlan[], duration: number, all: boolean): Op[] {
  const ops: Op[] = [];
  for (const [client] of clients.entries()) {
    for (let i = random.whole(1, 3); i > 0; i--) ops.push({ at: random.skewed(0, duration / 2), client, do: "subscribe", standing: standing(random) });
    if (random.chance(0.5)) ops.push({ at: random.skewed(0, duration / 3), client, do: "respond", type: random.one(["ask.a", "ask.*"]), ms: random.one([0, 50, 800]) });
    for (let at = random.next() * 1_000; at < duration; at += random.skewed(20, 1_700)) ops.push({ at, client, ...action(random, all) } as Op);
  }
  return ops.sort((a, b) => a.at - b.at);
}

type Action = Op extends infer One ? (One extends unknown ? Omit<One, "at" | "client"> : never) : never;

function action(random: Random, all: boolean): Action {
  const types = (most: number): string[] => Array.from({ length: random.whole(1, most) }, () => random.one(TYPES));
  const pad = random.chance(0.1) ? random.whole(200, 1_500) : 0;
  const timeout = random.one([400, 3_000, 30_000]);
  return random.weighted<() => Action>([
    [30, () => ({ do: "publish", how: "each", types: types(6), pad, timeout, ...(random.chance(0.15) && { target: random.whole(0, 2) }) })],
    [6, () => ({ do: "publish", how: "each", types: types(10), pad: 0, timeout: 30_000, apart: random.whole(1, 30) })],
    [8, () => ({ do: "publish", how: "nowait", types: types(8), pad, timeout })],
    [4, () => ({ do: "publish", how: "ephemeral", types: types(3), pad: 0, timeout })],
    [4, () => ({ do: "publish", how: "abort", types: types(2), pad: 0, timeout: random.whole(0, 200) })],
    [5, () => ({ do: "publish own id", key: random.whole(0, 5), changed: all && random.chance(0.2) })],
    [5, () => ({ do: "publish later", type: random.one(TYPES), delay: random.whole(50, 3_000), ...(random.chance(0.3) && { own: random.whole(0, 3) }) })],
    [1, () => ({ do: "retry dead" })],
    [2, () => ({ do: "restrict", to: random.one(["all", "some", "denied", "denied", "refused"] as const) })],
    [10, () => ({ do: "together", how: random.one(["transaction", "publishBatch"] as const), types: random.chance(0.1) ? [...types(3), "$no", ...types(3)] : types(6), pad, timeout })],
    [6, () => ({ do: "subscribe", standing: standing(random) })],
    [7, () => ({ do: "unsubscribe", which: random.whole(0, 5) })],
    [2, () => ({ do: "respond", type: random.one(["ask.a", "ask.b", "ask.*"]), ms: random.one([0, 50, 800]) })],
    [14, () => ({ do: "request", type: random.one(["ask.a", "ask.b"]), timeout: random.one([200, 2_000, 8_000]), abort: random.chance(0.25) })],
    [4, () => ({ do: "call", method: random.one(["stats", "read", "subscriptions", "health", "nonsense"]) })],
    [2, () => ({ do: "reconnect" })],
    [2, () => ({ do: random.one(["restart", "leave", "leave"] as const) })],
  ])();
}

function standing(random: Random): Standing {
  const filter = random.weighted<Filter | undefined>([[6, undefined], [1, { "payload.n": { $mod: [2, 0] } }], [1, { "payload.p": { $ne: "c0.1" } }]]);
  const handler = random.weighted<Standing["handler"]>([[4, "at once"], [4, "slow"], [1, "throws"], [2, "iterates"]]);
  return { topics: random.one(PATTERNS), ...(filter !== undefined && { filter }), from: random.weighted<Standing["from"]>([[4, "now"], [4, "start"], [1, { seq: random.whole(0, 60) }], [2, { ago: random.whole(0, 8_000) }]]), handler, concurrency: handler === "slow" ? random.whole(1, 3) : 1, ms: random.one([10, 200, 1_500]) };
}
