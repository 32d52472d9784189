import type { Limits } from "../../src/core/limits.ts";
import { Router, type RouterOptions } from "../../src/core/router.ts";
import type { Log, Store } from "../../src/core/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { FakeSurroundings } from "./fake-surroundings.ts";
import { line, RawClient } from "./raw-client.ts";

export type WorldOptions = Omit<RouterOptions, "store" | "surroundings" | "limits"> & { limits?: Partial<Limits>; store?: Store };

/** A router in a world that stands still, and clients of it. */
export class World {
  readonly around = new FakeSurroundings();
  readonly store: Store;
  readonly router: Router;
  readonly errors: unknown[] = [];

  constructor({ store, ...options }: WorldOptions = {}) {
    this.store = store ?? memoryStore({ randomBytes: this.around.randomBytes, onError: (error) => this.errors.push(error) });
    this.router = new Router({ onError: (error) => this.errors.push(error), ...options, store: this.store, surroundings: this.around });
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
