import type { Limits } from "../../src/core/limits.ts";
import type { RouterOptions } from "../../src/core/router-options.ts";
import { Router } from "../../src/core/router.ts";
import type { Log, Store } from "../../src/core/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import type { SavedSession } from "../../src/core/saved-session.ts";
import { FakeSurroundings } from "./fake-surroundings.ts";
import { line, RawClient } from "./raw-client.ts";

export type WorldOptions = Omit<RouterOptions, "store" | "surroundings" | "limits"> & { limits?: Partial<Limits>; store?: Store };

/** A router in a world that stands still, and clients of it. */
export class World {
  readonly around = new FakeSurroundings();
  readonly store: Store;
  router: Router;
  readonly errors: unknown[] = [];
  readonly #options: WorldOptions;
  /** Ends what the router has to do with the store. */
  #release: () => void = () => {};

  constructor({ store, ...options }: WorldOptions = {}) {
    this.store = store ?? memoryStore({ randomBytes: this.around.randomBytes, onError: (error) => this.errors.push(error) });
    this.#options = options;
    this.router = this.#wake();
  }

  #wake(): Router {
    const { store, release } = releasable(this.store);
    this.#release = release;
    return new Router({ onError: (error) => this.errors.push(error), ...this.#options, store, surroundings: this.around });
  }

  /** The host sleeps and wakes: all that is in memory is lost, the pipes of these clients stay. What is saved has been text meanwhile. */
  sleep(...clients: readonly RawClient[]): Promise<void> {
    return this.sleepWhile(async () => {}, ...clients);
  }

  async sleepWhile(happens: () => Promise<unknown>, ...clients: readonly RawClient[]): Promise<void> {
    await this.settle();
    const awake = clients.filter(({ closed, session }) => closed === undefined && session.state !== "closed");
    const saved = awake.map(({ session }) => JSON.parse(JSON.stringify(session.save())) as SavedSession);
    this.#release();
    await happens();
    this.around.wake = null;
    this.router = this.#wake();
    const sessions = await this.router.resume(awake.map((port, i) => ({ port, saved: saved[i]! })));
    sessions.forEach((session, i) => { awake[i]!.session = session; });
    await this.settle();
  }

  settle(): Promise<void> { return this.around.settle(); }
  log(namespace = "default"): Promise<Log> { return this.store.open(namespace); }
  stats(namespace = "default") { return this.router.stats().get(namespace)!; }

  /** A client that has been welcomed. */
  async client(hello: Parameters<RawClient["hello"]>[0] = {}): Promise<RawClient> {
    const client = new RawClient(this.router);
    client.hello(hello);
    await this.settle();
    return client;
  }

  /** Moves the clock and wakes the router. */
  async pass(ms: number): Promise<void> {
    this.around.time += ms;
    this.router.tick();
    await this.settle();
  }
}

/** A store that can be taken away from who watches it. */
function releasable(inner: Store): { readonly store: Store; release(): void } {
  const stops: (() => void)[] = [];
  const store: Store = {
    ...inner,
    async open(namespace) {
      const log = await inner.open(namespace);
      return Object.assign(Object.create(log) as Log, {
        watch: (listener: Parameters<Log["watch"]>[0]) => {
          const stop = log.watch(listener);
          stops.push(stop);
          return stop;
        },
      });
    },
  };
  return { store, release: () => stops.forEach((stop) => stop()) };
}

/** Lines of events `e1`, `e2`, … */
export const numbered = (from: number, to: number, type = "t", payload: unknown = null): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => line(`e${from + i}`, type, payload));
export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A store whose log's parts can be replaced. */
export function storeWith(around: FakeSurroundings, change: (log: Log) => Partial<Log>): Store {
  const inner = memoryStore({ randomBytes: around.randomBytes });
  const logs = new Map<string, Log>();
  return {
    ...inner,
    async open(namespace) {
      const log = await inner.open(namespace);
      if (!logs.has(namespace)) logs.set(namespace, Object.assign(Object.create(log) as Log, change(log)));
      return logs.get(namespace)!;
    },
  };
}
