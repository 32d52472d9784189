import type { RouterOptions } from "../../src/core/router-options.ts";
import { Router } from "../../src/core/router.ts";
import { openPolicy, type Policy } from "../../src/core/policy.ts";
import type { Store } from "../../src/core/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { FakeSurroundings } from "./fake-surroundings.ts";
import { PeerHub } from "./peer-hub.ts";
import { RawClient } from "./raw-client.ts";

export type ClusterOptions = Omit<RouterOptions, "store" | "surroundings" | "policy"> & { readonly beat?: number; /** One for all of them, or one for each. */ readonly policy?: Policy | ((node: string) => Policy) };

/** One router of several. */
export interface Node {
  readonly name: string;
  readonly around: FakeSurroundings;
  readonly router: Router;
  /** It runs: a killed or a stopped one is not woken, and what is sent to it is lost, or waits. */
  state: "runs" | "stopped" | "dead";
  readonly selves: Map<string, string>;
}

/** Several routers on one log in a world that stands still. */
export class Cluster {
  readonly nodes: Node[] = [];
  readonly errors: unknown[] = [];
  time = Date.UTC(2026, 0, 1);
  /** Messages between routers that get lost: called for each, by the names of the routers. */
  loses: (from: string, to: string) => boolean = () => false;
  readonly #options: ClusterOptions;
  readonly #store: Store;
  readonly #hubs = new Map<string, PeerHub>();
  readonly #names = new Map<string, string>();
  #held: { readonly to: string; deliver(): void }[] = [];
  #lives = 0;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.#store = memoryStore({ randomBytes: new FakeSurroundings(77).randomBytes, onError: (error) => this.errors.push(error) });
  }

  static async of(count: number, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(options);
    for (let i = 0; i < count; i++) await cluster.start();
    return cluster;
  }

  /** Starts another router, with the namespace "default" open. */
  async start(): Promise<Node> {
    const name = `r${this.nodes.length}`;
    const around = new FakeSurroundings(100 + ++this.#lives);
    around.time = this.time;
    const selves = new Map<string, string>();
    const { beat: _beat, policy = openPolicy, ...settings } = this.#options;
    const store: Store = {
      durability: "replicated", shared: true,
      open: async (namespace) => {
        const self = `${name}-${namespace.replace("$", "")}-${++this.#lives}`;
        selves.set(namespace, self);
        this.#names.set(self, name);
        return (await this.hub(namespace)).join(self);
      },
      close: async () => {},
    };
    const node: Node = { name, around, selves, state: "runs", router: new Router({ onError: (error) => this.errors.push(error), ...settings, policy: typeof policy === "function" ? policy(name) : policy, store, surroundings: around }) };
    this.nodes.push(node);
    await this.#with(node.router.open("default"));
    return node;
  }

  async hub(namespace = "default"): Promise<PeerHub> {
    let hub = this.#hubs.get(namespace);
    if (hub === undefined) {
      const { beat } = this.#options;
      hub = new PeerHub(await this.#store.open(namespace), { now: () => this.time, carry: (from, to, _text, deliver) => this.#carry(from, to, deliver), ...(beat !== undefined && { beat }) });
      this.#hubs.set(namespace, hub);
    }
    return hub;
  }

  /** Which router leads, as the store knows it. */
  async leader(): Promise<Node | undefined> {
    const self = (await this.hub()).leader;
    return this.nodes.find(({ selves }) => selves.get("default") === self);
  }

  async follower(): Promise<Node> {
    const leader = await this.leader();
    return this.nodes.find((node) => node !== leader && node.state === "runs")!;
  }

  /** A client of one router that has been welcomed. */
  async client({ router }: Node, hello: Parameters<RawClient["hello"]>[0] = {}): Promise<RawClient> {
    const client = new RawClient(router);
    client.hello(hello);
    await this.settle();
    return client;
  }

  /** kill -9. */
  async kill(node: Node): Promise<void> {
    node.state = "dead";
    for (const [namespace, self] of node.selves) (await this.hub(namespace)).leave(self);
  }

  /** SIGSTOP. */
  stop(node: Node): void { node.state = "stopped"; }

  async goOn(node: Node): Promise<void> {
    node.state = "runs";
    node.around.time = this.time;
    const held = this.#held.filter(({ to }) => to === node.name);
    this.#held = this.#held.filter(({ to }) => to !== node.name);
    for (const { deliver } of held) deliver();
    node.router.tick();
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let busy = true; busy; ) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      busy = this.nodes.map(({ state, around }) => (state === "runs" ? around.turn() : 0)).some((ran) => ran > 0);
    }
  }

  /** Lets time pass for all that run. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    while (this.time < end) {
      this.time = Math.min(end, this.time + 100);
      for (const { state, around, router } of this.nodes) {
        if (state !== "runs") continue;
        around.time = this.time;
        if (around.wake !== null && around.wake <= this.time) around.wakeAt(router.tick());
      }
      await this.settle();
    }
  }

  /** Something under way that needs turns and time to come to its end. */
  async #with<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    void promise.finally(() => { over = true; }).catch(() => {});
    for (let i = 0; i < 200 && !over; i++) await this.settle();
    return promise;
  }

  async closeRouter(node: Node): Promise<void> {
    await this.#with(node.router.close());
    await this.kill(node);
  }

  #carry(from: string, to: string, deliver: () => void): void {
    const node = this.nodes.find(({ name }) => name === this.#names.get(to));
    const sender = this.nodes.find(({ name }) => name === this.#names.get(from));
    if (sender?.state === "dead" || node?.state === "dead" || this.loses(this.#names.get(from)!, this.#names.get(to)!)) return;
    if (node?.state === "stopped") this.#held.push({ to: node.name, deliver });
    else queueMicrotask(deliver);
  }
}
