import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Locator, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { serve, type RunningServer, type ServeOptions } from "../../src/hosts/server.ts";
import { EventRouterClient } from "../../src/index.ts";
import { memoryStore, type Store } from "../../src/router.ts";
import { browserArguments, findBrowser } from "../support/browser.ts";
import { fixedPort } from "../support/fixed-port.ts";

export interface View {
  readonly width?: number;
  readonly height?: number;
  readonly colors?: "light" | "dark";
  readonly scale?: number;
}

/** The built page, served by a real router on a port of its own, in Chromium; and a client that publishes from outside. New for each test. */
export class Stage {
  readonly #directory = mkdtempSync(join(tmpdir(), "playground-"));
  /** The clock of this process, so the router's. */
  readonly #clock = vi.spyOn(Date, "now");
  #browser: Browser | undefined;
  #page: Page | undefined;
  #server: RunningServer | undefined;
  #publisher: EventRouterClient | undefined;
  #noise: string[] = [];

  constructor() {
    beforeAll(async () => {
      await build({ configFile: "vite.config.ts", logLevel: "error", build: { outDir: this.#directory } });
      this.#browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments });
    });
    afterAll(async () => {
      await this.#browser?.close();
      rmSync(this.#directory, { recursive: true, force: true });
    });
    beforeEach(async () => {
      this.#noise = [];
      await this.serve(newStore());
    });
    afterEach(async () => {
      await this.#page?.context().close();
      await this.#publisher?.close();
      await this.#server?.close();
      expect(this.#noise).toEqual([]);
    });
  }

  get page(): Page { return this.#page!; }
  get server(): RunningServer { return this.#server!; }
  get publisher(): EventRouterClient { return this.#publisher!; }

  /** Starts a router, in place of the one that runs, with a publisher for it; or again on the same port, then the publisher finds it by itself. */
  async serve(store: Store, port?: number, options: Pick<ServeOptions, "auth"> = {}): Promise<void> {
    if (port === undefined) await this.#publisher?.close();
    await this.#server?.close();
    this.#server = await serve({ port: port ?? await fixedPort(), staticFiles: this.#directory, store, ...options });
    if (port === undefined) this.#publisher = new EventRouterClient({ transport: "websocket", url: this.#server.url, name: "test" });
  }

  /** @param state what the page is waited for to say of its connection. */
  async open({ width = 1440, height = 900, colors = "light", scale = 1 }: View = {}, state = "Connected"): Promise<void> {
    const context = await this.#browser!.newContext({ viewport: { width, height }, colorScheme: colors, deviceScaleFactor: scale });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = (this.#page = await context.newPage());
    page.setDefaultTimeout(60_000);
    page.on("console", (message) => { if (message.type() !== "log") this.#noise.push(`${message.type()}: ${message.text()}`); });
    page.on("pageerror", (error) => this.#noise.push(String(error)));
    await page.goto(this.server.url);
    await this.state(state);
  }

  /** What the browser itself says of this is no fault of the page. A test fails for everything else that a person with open developer tools would see. */
  forgive(noise: RegExp): void {
    this.#noise = this.#noise.filter((line) => !noise.test(line));
  }

  /** Waits for what the page says of its connection. */
  state(name: string): Promise<void> {
    return this.page.locator("#state-text", { hasText: new RegExp(`^${name}`) }).waitFor();
  }

  row(type: string): Locator {
    return this.page.locator("#rows .row", { has: this.page.locator(".type", { hasText: new RegExp(`^${type.replaceAll(".", "\\.")}$`) }) });
  }

  get rows(): Promise<number> { return this.page.locator("#rows .row").count(); }

  /** The seqs of all rows from the top, also of those that are drawn only when one scrolls there. */
  seqs(): Promise<number[]> {
    return this.page.evaluate(async () => {
      const frame = document.getElementById("rows")!;
      const seqs = new Set<number>();
      for (let top = 0; top <= frame.scrollHeight; top += frame.clientHeight / 2) {
        frame.scrollTop = top;
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        for (const row of frame.querySelectorAll<HTMLElement>(".row")) seqs.add(Number(row.dataset.seq));
      }
      frame.scrollTop = 0;
      return [...seqs];
    });
  }

  async follow(pattern: string, filter = ""): Promise<void> {
    await this.page.getByLabel("Pattern").fill(pattern);
    await this.page.getByLabel("Filter").fill(filter);
    await this.page.getByRole("button", { name: "Apply" }).click();
    await this.page.locator("#filter-bar:not([aria-busy])").waitFor();
  }

  async publishForm(): Promise<void> {
    await this.page.getByRole("button", { name: "Publish", exact: true }).click();
  }

  async expectText(selector: string, pattern: RegExp): Promise<void> {
    await expect.poll(async () => (await this.page.locator(selector).textContent())?.trim()).toMatch(pattern);
  }

  /** Metrics as `start --system-metrics` publishes them, each second for so many seconds up to now: the router's clock is put back meanwhile. */
  async publishMetrics(seconds: number): Promise<void> {
    const now = Date.now();
    const noise = (i: number): number => (Math.sin(i * 12.9898) * 43_758.5453) % 1;
    for (let i = 1; i <= seconds; i++) {
      this.#clock.mockReturnValue(now - (seconds - i) * 1_000);
      const memory = 43.1 + 2 * Math.sin(i / 60) + (i > 170 ? 6 : 0);
      await this.publisher.publishBatch([
        ["system.cpu", { percent: 24 + 12 * Math.sin(i / 31) + 9 * noise(i), cores: 8, load1: 0.82 }],
        ["system.memory", { percent: memory, used: memory * 23.9e7, total: 23.9e9, rss: 84e6 }],
        ["system.loop", { mean: 0.6 + 0.2 * noise(i), p99: 1.6 + 1.1 * noise(i + 5) + (i % 67 === 0 ? 5 : 0), max: 9.2 }],
      ]);
    }
    this.#clock.mockReset();
  }

  /** How many pixels of a chart have the colour of a line: labels and grid are grey. */
  inkOf(type: string): Promise<number> {
    return this.page.evaluate((of) => {
      const canvas = document.querySelector<HTMLCanvasElement>(`[data-type="${of}"] canvas`)!;
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true })!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let ink = 0;
      for (let i = 0; i < data.length; i += 4) {
        const [red, green, blue, alpha] = [data[i]!, data[i + 1]!, data[i + 2]!, data[i + 3]!];
        if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 80) ink++;
      }
      return ink;
    }, type);
  }
}

export const newStore = (): Store => memoryStore({ randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) });

/** What Chromium says of a router that is away. */
export const refused = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;
