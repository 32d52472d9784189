import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { fixedPort } from "../support/fixed-port.ts";

const cli = fileURLToPath(new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url));
const ownConfig = fileURLToPath(new URL("wrangler.toml", import.meta.url));

/** `wrangler dev` on a port and a folder of its own: it may be killed and started again on them. */
export class WranglerDev implements AsyncDisposable {
  readonly port: number;
  readonly #config: string;
  readonly #vars: Readonly<Record<string, string>>;
  readonly #folder = mkdtempSync(join(tmpdir(), "event-router-edge-"));
  #child: ChildProcessByStdio<null, Readable, Readable> | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  /** All that it printed. */
  output = "";

  private constructor(port: number, config: string, vars: Readonly<Record<string, string>>) {
    this.port = port;
    this.#config = config;
    this.#vars = vars;
  }

  /** @param vars besides those of the configuration */
  static async start(config = ownConfig, vars: Readonly<Record<string, string>> = {}): Promise<WranglerDev> {
    const edge = new WranglerDev(await fixedPort(), config, vars);
    await edge.start();
    return edge;
  }

  get url(): string { return `http://127.0.0.1:${this.port}`; }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const args = ["dev", "--config", this.#config, "--ip", "127.0.0.1", "--port", String(this.port), "--inspector-port", "0", "--persist-to", this.#folder, "--show-interactive-dev-session=false", ...Object.entries(this.#vars).flatMap(([name, value]) => ["--var", `${name}:${value}`])];
    // A process group of its own: workerd is a grandchild.
    const child = spawn(process.execPath, [cli, ...args], { detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: this.#folder, NO_COLOR: "1" } });
    this.#child = child;
    this.#closed = once(child, "close");
    const from = this.output.length;
    const ready = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        if (this.output.includes("Ready on", from)) resolve();
      });
    });
    await Promise.race([ready, this.#closed.then(() => { throw new Error(`wrangler dev ended: ${this.output.slice(-2_000)}`); })]);
  }

  /** kill -9 of it and its workerd. */
  async kill(): Promise<void> {
    const { pid } = this.#child ?? {};
    this.#child = undefined;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
