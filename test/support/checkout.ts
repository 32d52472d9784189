import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The repository as somebody has it after `npm ci`, in a folder of its own: what its commands build and store lands there. */
export class Checkout implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "event-router-checkout-"));

  constructor() {
    for (const name of ["demo", "src", "worker", "package.json", "tsconfig.json", "vite.config.ts", "wrangler.toml"]) cpSync(join(root, name), join(this.folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Types a command that goes on until it is stopped; resolves when it says that it is there. */
  async start(command: string, says: RegExp): Promise<Typed> {
    const typed = new Typed(command, this.folder);
    await typed.says(says);
    return typed;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A command and all that it has started. */
export class Typed implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #checks = new Set<() => void>();
  /** All that it has printed. */
  output = "";

  constructor(command: string, cwd: string) {
    // A process group of its own: npm starts a shell, and that the rest. The port is one that is free; else nothing of this machine's settings.
    this.#child = spawn(command, { cwd, shell: true, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH, HOME: cwd, NO_COLOR: "1", EVENT_ROUTER_PORT: "0", WRANGLER_SEND_METRICS: "false" } });
    this.#closed = once(this.#child, "close");
    const check = (): void => { for (const one of this.#checks) one(); };
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
      check();
    });
    void this.#closed.then(check);
  }

  says(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (pattern.test(this.output)) resolve();
        else if (this.#child.exitCode !== null || this.#child.signalCode !== null) reject(new Error(`it ended before it said ${String(pattern)}:\n${this.output}`));
        else return;
        this.#checks.delete(check);
      };
      this.#checks.add(check);
      check();
    });
  }

  /** Ctrl-C, as a terminal sends it to all of the group; resolves when all have ended. */
  async interrupt(): Promise<void> {
    this.#signal("SIGINT");
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal("SIGKILL");
    await this.#closed;
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#child.pid!, signal);
    } catch {
      // It has ended.
    }
  }
}
