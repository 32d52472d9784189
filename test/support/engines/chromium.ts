import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from "playwright-core";
import { browserArguments, findBrowser } from "../browser.ts";
import { callScript, PATIENCE, resultOf, type Engine, type Tab } from "./engine.ts";

export interface ChromiumTab extends Tab { readonly page: Page }

/** Chromium with a profile on the disk that outlives it: it can be killed and started again. */
export class Chromium implements Engine {
  readonly name = "Chromium";
  readonly #profile = mkdtempSync(join(tmpdir(), "chromium-"));
  readonly #headed: readonly string[];
  #process: ChildProcess | undefined;
  #browser: Browser | undefined;

  /** @param more command line arguments */
  constructor(...more: string[]) {
    this.#headed = more;
  }

  async start(): Promise<this> {
    // A process group of its own, so that the whole browser can be killed at once.
    const child = spawn(findBrowser(), [...browserArguments, ...this.#headed, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${this.#profile}`, "about:blank"], { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    let said = "";
    const endpoint = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stderr }).on("line", (line) => {
        said += `${line}\n`;
        const found = /DevTools listening on (\S+)/.exec(line);
        if (found !== null) resolve(found[1]!);
      });
      child.once("close", () => reject(new Error(`Chromium ended at once:\n${said}`)));
    });
    this.#browser = await chromium.connectOverCDP(endpoint, { timeout: PATIENCE });
    this.context.setDefaultTimeout(PATIENCE);
    return this;
  }

  get context(): BrowserContext { return this.#browser!.contexts()[0]!; }

  /** Speaks to the browser itself, for what no page can do. */
  browserSession(): Promise<CDPSession> { return this.#browser!.newBrowserCDPSession(); }

  async open(url: string): Promise<ChromiumTab> {
    const page = await this.context.newPage();
    await page.goto(url);
    return {
      page,
      call: async (module, name, ...args) => resultOf(await page.evaluate<string>(callScript(module, name, args))),
      reload: async () => void (await page.reload()),
      close: () => page.close(),
    };
  }

  /** As the kernel or a power switch does: no page and no process hears of it. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined) return;
    this.#process = undefined;
    const gone = new Promise((resolve) => child.once("close", resolve));
    process.kill(-child.pid, "SIGKILL");
    await gone;
    await this.#browser?.close().catch(() => {});
    // What tells a second start that the profile is in use.
    for (const name of ["SingletonLock", "SingletonCookie", "SingletonSocket"]) rmSync(join(this.#profile, name), { force: true });
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
