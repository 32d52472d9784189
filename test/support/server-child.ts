import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ServeOptions } from "../../src/hosts/server.ts";

const script = fileURLToPath(new URL("../crash/server-process.ts", import.meta.url));
/** Half of the time until such a process serves is the compiler's: it does its work once. */
const compiled = join(tmpdir(), "event-router-compile-cache");
const MIB = 1024 * 1024;

/** A router in a process of its own. It is loaded at once, and serves when it is told to. */
export class ServerChild implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  #errors = "";

  /** @param flags of Node */
  constructor(flags: readonly string[] = []) {
    this.#child = spawn(process.execPath, [...flags, script], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, NODE_COMPILE_CACHE: compiled } });
    this.#closed = once(this.#child, "close");
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => { this.#errors = (this.#errors + text).slice(-4_000); });
  }

  get pid(): number { return this.#child.pid!; }
  /** What it complained of. */
  get errors(): string { return this.#errors; }

  /** Resolves with its address when it listens. */
  async serve(options: ServeOptions): Promise<string> {
    this.#child.stdin.write(`${JSON.stringify(options)}\n`);
    const line = once(createInterface({ input: this.#child.stdout }), "line") as Promise<[string]>;
    const [text] = await Promise.race([line, this.#closed.then(() => { throw new Error(`the server ended: ${this.#errors}`); })]);
    return (JSON.parse(text) as { url: string }).url;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  /** Memory of the process that is in use now, MiB, and the most that ever was. */
  memory(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    const read = (name: string): number => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024) / MIB;
    return { now: read("VmRSS"), peak: read("VmHWM") };
  }

  /** The most that ever was is counted from now on. */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, "5");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
