import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** A program of this folder that runs in a process of its own. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #ended: Promise<unknown>;

  constructor(file: string, args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...environment } });
    this.#ended = once(this.#child, "close");
  }

  /** Resolves with the first line it writes that looks like this. */
  async line(pattern: RegExp): Promise<string> {
    for await (const line of createInterface({ input: this.#child.stdout })) if (pattern.test(line)) return line;
    throw new Error("the program ended before it was ready");
  }

  /** kill -9. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
  }
}
