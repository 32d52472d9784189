import { PublishError } from "../../src/core/errors.ts";
import type { Peers } from "../../src/core/peers.ts";
import type { Log, Store } from "../../src/core/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { PeerHub } from "../support/peer-hub.ts";
import type { Fault, Faults } from "./faults.ts";
import { PeerNetwork, type PeerProcess } from "./peer-network.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { writtenBy, type Release } from "./releases.ts";
import { sharedLog } from "./shared-log.ts";
import { Disk } from "./simulated-database.ts";
import type { Truth } from "./truth.ts";

export interface StorageOptions {
  /** The real memory store, lost with its process; the real SQLite store on a simulated disk; a memory store behind a network, for several routers. */
  readonly kind: "memory" | "sqlite" | "shared";
  readonly faults: Faults;
  readonly random: Random;
  readonly truth: Truth;
  /** ms an operation takes, at most. */
  readonly latency: number;
  /** ms a message between routers takes, at most. */
  readonly peerLatency: number;
  /** Time that no clock tells. */
  clockless(): number;
  trace(line: string): void;
  failed(error: unknown): void;
  /** A router was given the lead of a namespace. */
  granted(namespace: string, process: Process): void;
  /** Of a router in this life. */
  release(process: Process): Release;
}

/** Where routers keep their logs. It outlives them, as far as its kind does. */
export class Storage {
  readonly #options: StorageOptions;
  readonly #disk: Disk | undefined;
  readonly #shared: Store | undefined;
  readonly #hubs = new Map<string, Promise<PeerHub>>();
  readonly #peers: PeerNetwork;
  /** Routers by the names that they have in a log. */
  readonly #members = new Map<string, PeerProcess>();
  /** Times until which nothing can be written. */
  #fullUntil = 0;

  constructor(options: StorageOptions) {
    this.#options = options;
    const { kind, random, failed } = options;
    this.#disk = kind === "sqlite" ? new Disk() : undefined;
    this.#peers = new PeerNetwork({ faults: options.faults, random, latency: options.peerLatency, trace: options.trace });
    this.#shared = kind === "shared" ? memoryStore({ randomBytes: random.bytes, onError: failed }) : undefined;
  }

  /** A store for one life of a process. @param befall what befalls it at a step */
  async open(process: Process, befall: (fault: Fault) => void): Promise<Store> {
    const { random, failed, faults, truth } = this.#options;
    const { life } = process;
    const dead = (): boolean => process.life !== life;
    const own = this.#disk !== undefined ? await sqliteStore(this.#disk.open(faults, dead, befall), { randomBytes: random.bytes, onError: failed })
      : this.#shared ?? memoryStore({ randomBytes: random.bytes, onError: failed });
    return {
      durability: this.#shared === undefined ? own.durability : "replicated",
      ...(this.#shared !== undefined && { shared: true }),
      open: async (namespace) => {
        if (this.#shared !== undefined) return this.#join(namespace, this.#shared, { process, life, befall, release: this.#options.release(process) });
        const log = await own.open(namespace);
        await truth.attach(namespace, log);
        return this.#slow(log, log, namespace, process, befall);
      },
      close: async () => { if (this.#shared === undefined) await own.close(); },
    };
  }

  heal(): void {
    this.#fullUntil = 0;
    this.#peers.heal();
  }

  close(): void {
    this.#disk?.close();
  }

  /** A log that several routers have open, as one of them does. */
  async #join(namespace: string, store: Store, router: PeerProcess): Promise<Log> {
    const { random, latency, clockless, truth, granted, trace } = this.#options;
    const { process, befall } = router;
    let hub = this.#hubs.get(namespace);
    if (hub === undefined) {
      hub = store.open(namespace).then(async (log) => {
        await truth.attach(namespace, log);
        return new PeerHub(log, {
          now: clockless, carry: (from, to, text, deliver) => this.#peers.carry(this.#members.get(from)!, this.#members.get(to)!, text, deliver),
          granted: (self) => {
            trace(`${self} leads ${namespace}`);
            granted(namespace, this.#members.get(self)!.process);
          },
        });
      });
      this.#hubs.set(namespace, hub);
    }
    const opened = await hub;
    const self = `${process.name}-${process.life}-${this.#members.size}`;
    const { life } = process;
    this.#members.set(self, { process, life, release: router.release, befall: (fault) => { if (process.life === life) befall(fault); } });
    const joined = opened.join(self);
    return this.#slow(sharedLog(joined, process, random, latency), opened.log, namespace, process, befall);
  }

  /** The log with the time that storage takes, and what befalls it meanwhile. */
  #slow(log: Log, inner: Log, namespace: string, process: Process, befall: (fault: Fault) => void): Log {
    const { faults, random, latency, truth } = this.#options;
    const own = process.incarnation();
    const release = this.#options.release(process);
    const operation = <T>(name: string, writes: boolean, work: () => Promise<T>): Promise<T> => new Promise((resolve, reject) => {
      if (!own.alive) return;
      const fault = faults.take(`store:${name}`);
      const error = (): PublishError => new PublishError("ERR_STORE", `${name} failed, as planned`, { retryable: true });
      const extra = fault?.verdict === "slow" ? fault.ms : 0;
      own.post(random.skewed(0, latency) + extra, () => {
        if (fault?.verdict === "full") this.#fullUntil = process.clockless() + fault.ms;
        if (fault?.verdict === "crash" && !fault.behind) return befall(fault);
        if (fault?.verdict === "error" || fault?.verdict === "full" || (writes && process.clockless() < this.#fullUntil)) return reject(error());
        work().then((value) => {
          if (fault?.verdict === "crash") befall(fault);
          else own.post(random.skewed(0, latency), () => resolve(value));
        }, (thrown: unknown) => own.post(0, () => reject(thrown as Error)));
      });
    });
    return {
      epoch: log.epoch,
      ...(log.peers !== undefined && { peers: this.#slowPeers(log.peers, operation) }),
      get head() { return log.head; },
      get first() { return log.first; },
      get extent() { return log.extent; },
      append: (batches) => operation("append", true, async () => {
        const written = writtenBy(release, batches);
        if (written.added > 0) faults.met("mix:newer record");
        return (await log.append(written.batches)).slice(0, batches.length);
      }),
      read: (after, limit) => operation("read", false, () => log.read(after, limit)),
      readStream: (...args) => operation("readStream", false, () => log.readStream(...args)),
      seqBefore: (time) => operation("seqBefore", false, () => log.seqBefore(time)),
      watch: (listener) => log.watch(listener),
      trim: (seq, lead) => operation("trim", true, async () => {
        await log.trim(seq, lead);
        truth.trimmed(namespace, inner);
      }),
      readBookmark: (key) => operation("readBookmark", false, () => log.readBookmark(key)),
      listBookmarks: (prefix) => operation("listBookmarks", false, () => log.listBookmarks(prefix)),
      writeBookmarks: (entries, lead) => operation("writeBookmarks", true, () => log.writeBookmarks(entries, lead)),
    };
  }

  #slowPeers(peers: Peers, operation: <T>(name: string, writes: boolean, work: () => Promise<T>) => Promise<T>): Peers {
    return { ...peers, claim: (ms) => operation("claim", false, () => peers.claim(ms)), release: (token) => operation("release", false, () => peers.release(token)) };
  }
}
