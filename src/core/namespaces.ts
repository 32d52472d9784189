import { EventRouterError } from "./errors.ts";
import type { Namespace } from "./namespace.ts";
import type { Durability } from "./frames.ts";
import type { Log, Store } from "./store.ts";

export interface NamespacesOptions {
  readonly store: Store;
  /** As many may be open. */
  readonly most: number;
  /** Before a log is opened: other routers' clients come in by it, on their word. */
  ready(): Promise<void>;
  make(name: string, log: Log, durability: Durability, lastTime: number): Namespace;
  /** Its log is gone; whoever asks for it now gets another. */
  lost(namespace: Namespace, error: EventRouterError): void;
  /** `tick` of one is wanted. */
  opened(namespace: Namespace): void;
}

/** The namespaces of a router that are open, or being opened. */
export class Namespaces {
  readonly #options: NamespacesOptions;
  readonly #opening = new Map<string, Promise<Namespace>>();
  readonly #open = new Map<string, Namespace>();

  constructor(options: NamespacesOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<[string, Namespace]> { return this.#open[Symbol.iterator](); }
  values(): IterableIterator<Namespace> { return this.#open.values(); }

  /** @throws EventRouterError `ERR_TOO_MANY_NAMESPACES`, or what the store failed with; the next call tries again. */
  get(name: string): Promise<Namespace> {
    let opening = this.#opening.get(name);
    if (opening === undefined) {
      const { most } = this.#options;
      if (this.#opening.size >= most) throw new EventRouterError("ERR_TOO_MANY_NAMESPACES", `this router has its ${most} namespaces; use one of them`);
      opening = this.#start(name);
      this.#opening.set(name, opening);
      // A store that could not open now may later.
      opening.catch(() => this.#opening.delete(name));
    }
    return opening;
  }

  /** All of them, when those that are being opened are. */
  async all(): Promise<Namespace[]> {
    return (await Promise.allSettled(this.#opening.values())).flatMap((opening) => (opening.status === "fulfilled" ? [opening.value] : []));
  }

  async #start(name: string): Promise<Namespace> {
    const { store, ready, make, opened } = this.#options;
    await ready();
    const log = await store.open(name);
    const last = log.head >= log.first ? (await log.read(log.head - 1, { events: 1, size: 1 }))[0] : undefined;
    const namespace = make(name, log, store.durability, last?.time ?? 0);
    await namespace.start();
    this.#open.set(name, namespace);
    void log.lost?.then((error) => this.#lost(namespace, error));
    opened(namespace);
    return namespace;
  }

  #lost(namespace: Namespace, error: EventRouterError): void {
    const { name } = namespace;
    if (this.#open.get(name) !== namespace) return;
    this.#open.delete(name);
    this.#opening.delete(name);
    this.#options.lost(namespace, error);
  }
}
