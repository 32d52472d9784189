import { expect } from "vitest";
import { serve, type RunningServer } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import type { Tab } from "../support/engines/engine.ts";
import { fixedPort } from "../support/fixed-port.ts";
import { violations, type Sighting } from "../support/history.ts";
import type { PageStage } from "../support/page-stage.ts";
import { logOf, untold } from "../support/recorded-log.ts";
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
      await tab.call("tabs", "start", how, `tab ${this.tabs.length}`, { url: this.server.url, timeout: "5m" });
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

  /** What these tabs have done and seen, with the log as it is, is a history that keeps all promises. */
  async whole(tabs: readonly Tab[]): Promise<Seen[]> {
    await using witness = new EventRouterClient({ url: this.server.url });
    const log = await logOf(witness);
    const all = await Promise.all(tabs.map(async (tab) => {
      await tab.call("tabs", "reached", log.events.at(-1)!.seq);
      return tab.call<Seen>("tabs", "seen");
    }));
    const attempts = all.flatMap((tab) => tab.attempts);
    // A tab was there when it got its first event; what came before that is not owed to it.
    const readings = all.map(({ seen }, i) => ({ name: `tab ${i}`, wants: ({ type }: Sighting) => type === "n", after: (seen[0] as Sighting).seq - 1, epoch: log.epoch, once: true, seen }));
    expect(violations({ attempts: [...attempts, ...untold(log, new Set(attempts.map(({ publisher }) => publisher)))], readings, log })).toEqual([]);
    for (const { seen, failed } of all) expect({ failed, gaps: seen.filter((one) => "reason" in one) }).toEqual({ failed: 0, gaps: [] });
    return all;
  }

  /** Ends where the tabs meet while all of them publish; the others go on. @param kill returns the tabs that must have lost nothing */
  async takeover(what: string, kill: (all: T[]) => Promise<T[]>, { pause = 3, enough = 50 } = {}): Promise<void> {
    const all = [...this.tabs];
    await Promise.all(all.map((tab) => tab.call("tabs", "run", pause)));
    await Promise.all(all.map((tab) => tab.call("tabs", "published", 20)));
    const others = await kill(all);
    const before = await Promise.all(others.map((tab) => tab.call<number>("tabs", "acked")));
    await Promise.all(others.map((tab, i) => tab.call("tabs", "published", before[i]! + enough)));
    await Promise.all(others.map((tab) => tab.call("tabs", "stop")));
    const seen = await this.whole(others);
    console.log(`takeover, ${what}: ${seen.map(({ longest }) => Math.round(longest)).join(", ")} ms without a receipt`);
    await expect.poll(() => this.connections).toBe(1);
  }
}
