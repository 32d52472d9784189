import { expect } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { fixedPort } from "../support/fixed-port.ts";
import type { Tab } from "../support/engines/engine.ts";
import type { PageStage } from "../support/page-stage.ts";
import type { Seen } from "./page/tabs.ts";

/** How the tabs find each other: in a SharedWorker, or through the tab that leads. */
export type How = "worker" | "leader";

/** Tabs of one browser that share a connection to a server, new for each test. */
export class TabCrowd<T extends Tab> {
  readonly #stage: PageStage;
  server!: RunningServer;
  readonly tabs: T[] = [];

  constructor(stage: PageStage) {
    this.#stage = stage;
  }

  /** @param port of an earlier server whose place it takes */
  async serve(port?: number): Promise<void> {
    this.server = await serve({ port: port ?? await fixedPort(), origins: [this.#stage.origin] });
  }

  async open(engine: { open(url: string): Promise<T> }, how: How, count: number): Promise<T[]> {
    for (let i = 0; i < count; i++) {
      const tab = await engine.open(this.#stage.url);
      this.tabs.push(tab);
      // What is published while nobody leads waits for as long as that takes.
      await tab.call("tabs", "start", how, { url: this.server.url, timeout: "5m" });
    }
    return this.tabs;
  }

  async end(): Promise<void> {
    await Promise.all(this.tabs.splice(0).map((tab) => tab.close().catch(() => {})));
    await this.server.close({ timeout: 0 });
  }

  get connections(): unknown { return this.server.router.stats().get("default")?.connections; }
  async head(): Promise<number> { return (await this.server.store.open("default")).head; }
  states(): Promise<unknown[]> { return Promise.all(this.tabs.map((tab) => tab.call("tabs", "state"))); }

  /** Everything that came is there, in order, once; everything that was acknowledged is in the log. */
  async whole(tabs: readonly Tab[]): Promise<Seen[]> {
    const last = await this.head();
    const log = await (await this.server.store.open("default")).read(0, { events: 1_000_000, size: 1e9 });
    expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
    return Promise.all(tabs.map(async (tab) => {
      await tab.call("tabs", "reached", last);
      const seen = await tab.call<Seen>("tabs", "seen");
      expect(seen.seqs).toEqual(Array.from({ length: last - seen.seqs[0]! + 1 }, (_, i) => seen.seqs[0]! + i));
      expect(seen.failed).toEqual([]);
      expect(seen.gaps).toBe(0);
      expect(new Set(seen.acked).size).toBe(seen.acked.length);
      expect(Math.max(0, ...seen.acked)).toBeLessThanOrEqual(last);
      return seen;
    }));
  }

  /** Ends where the tabs meet while all of them publish; the others go on. @param kill returns the tabs that must have lost nothing */
  async takeover(what: string, kill: (all: T[]) => Promise<T[]>, { pause = 3, enough = 50 } = {}): Promise<void> {
    const all = [...this.tabs];
    await Promise.all(all.map((tab, i) => tab.call("tabs", "run", `tab${i}`, pause)));
    await Promise.all(all.map((tab) => tab.call("tabs", "published", 20)));
    const others = await kill(all);
    const before = await Promise.all(others.map(async (tab) => (await tab.call<Seen>("tabs", "seen")).acked.length));
    await Promise.all(others.map((tab, i) => tab.call("tabs", "published", before[i]! + enough)));
    await Promise.all(others.map((tab) => tab.call("tabs", "stop")));
    const seen = await this.whole(others);
    console.log(`takeover, ${what}: ${seen.map(({ longest }) => Math.round(longest)).join(", ")} ms without a receipt`);
    await expect.poll(() => this.connections).toBe(1);
  }
}
