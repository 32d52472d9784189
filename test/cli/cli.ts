import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface Ended { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly out: string; readonly err: string }

/** The real command in a process of its own. */
export class Cli implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  #out = "";
  #err = "";
  #checks = new Set<() => void>();

  /** @param ends It ends by itself. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, ends = false) {
    // Nothing of the machine's own settings: NO_COLOR, EVENT_ROUTER_URL, DEBUG.
    this.child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH, TZ: "UTC", ...env }, stdio: "pipe" });
    const read = (add: (text: string) => void) => (chunk: Buffer) => {
      add(chunk.toString());
      for (const check of this.#checks) check();
    };
    this.child.stdout.on("data", read((text) => { this.#out += text; }));
    this.child.stderr.on("data", read((text) => { this.#err += text; }));
    this.child.stdin.on("error", () => {});
    // A test that runs out of time disposes of nothing, and its process goes on without it.
    if (!ends) onTestFinished(() => void this.child.kill("SIGKILL"));
    this.ended = once(this.child, "close").then(([code, signal]) => {
      for (const check of this.#checks) check();
      return { code, signal, out: this.#out, err: this.#err } as Ended;
    });
  }

  get out(): string { return this.#out; }
  get err(): string { return this.#err; }

  /** Resolves with the match when what it has written fits; fails when it ends before that. */
  async says(pattern: RegExp, where: "out" | "err" = "out"): Promise<RegExpExecArray> {
    return await new Promise<RegExpExecArray>((resolve, reject) => {
      const check = (): void => {
        const found = pattern.exec(where === "out" ? this.#out : this.#err);
        if (found === null && this.child.exitCode === null && this.child.signalCode === null) return;
        this.#checks.delete(check);
        if (found === null) reject(new Error(`it ended before it said ${pattern} on std${where}:\n${this.#out}\n${this.#err}`));
        else resolve(found);
      };
      this.#checks.add(check);
      check();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** Runs a command line to its end. */
export async function cli(args: readonly string[], { env, input }: { env?: Readonly<Record<string, string>>; input?: string } = {}): Promise<Ended> {
  await using process = new Cli(args, env, true);
  process.child.stdin.end(input ?? "");
  return await process.ended;
}

/** A started router, and where it is. */
export async function startRouter(args: readonly string[] = [], env?: Readonly<Record<string, string>>): Promise<{ router: Cli; url: string }> {
  const router = new Cli(["start", "--port", "0", "--no-playground", "--json", ...args], env);
  const [line] = await router.says(/^\{.*\}$/m);
  return { router, url: (JSON.parse(line) as { url: string }).url };
}
