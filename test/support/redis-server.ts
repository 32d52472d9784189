import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedPort } from "./fixed-port.ts";

/**
 * The server that the Redis tests start for themselves. It is installed from Debian's package if this is root, or may become root, on Debian.
 * @throws Error that says what to type.
 */
export function installRedis(): void {
  if (isThere()) return;
  const root = process.getuid?.() === 0 ? [] : spawnSync("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n"] : undefined;
  if (root !== undefined && spawnSync("apt-get", ["--version"]).status === 0) {
    console.log("installing redis-server for the tests …");
    const run = (...args: string[]): void => {
      const [command, ...rest] = [...root, "apt-get", ...args] as [string, ...string[]];
      execFileSync(command, rest, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } });
    };
    run("update", "-qq");
    run("install", "-y", "-qq", "--no-install-recommends", "redis-server");
  }
  if (!isThere()) throw new Error("the tests need redis-server 7.0 or later: type `apt-get install redis-server` (as root)");
}

function isThere(): boolean {
  return spawnSync("redis-server", ["--version"]).status === 0;
}

/** A redis-server of a test's own: on a port that stays its own, with a folder that outlives a restart. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), "event-router-redis-"));
    this.#args = args;
  }

  /** @param args of redis-server, as `--maxmemory 10mb`; by default it keeps what it is told (AOF) */
  static async start(...args: string[]): Promise<RedisServer> {
    const server = new RedisServer(await fixedPort(), args);
    await server.begin();
    return server;
  }

  get url(): string { return `redis://127.0.0.1:${this.port}`; }
  get pid(): number { return this.#child!.pid!; }

  /** Starts it, or starts it again, with further arguments; resolves when it answers. @param heard gets what it answers until then */
  async begin(more: readonly string[] = [], heard: (answer: string) => void = () => {}): Promise<void> {
    const persistence = this.#args.includes("--appendonly") ? [] : ["--appendonly", "yes"];
    this.#child = spawn("redis-server", ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder, "--save", "", "--repl-diskless-sync-delay", "0", ...persistence, ...this.#args, ...more], { stdio: ["ignore", "ignore", "inherit"] });
    for (let answer = ""; !/^(\+PONG|-NOAUTH)/.test(answer); answer = await this.command("PING").catch(() => "")) {
      heard(answer);
      if (this.#child.exitCode !== null) throw new Error(`redis-server ended with ${this.#child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** One command over a connection of its own: the first line of the answer. */
  async command(...args: string[]): Promise<string> {
    return (await this.commandText(...args)).split("\r\n")[0]!;
  }

  /** One command: the whole answer as it came, for short ones. */
  async commandText(...args: string[]): Promise<string> {
    const socket = createConnection(this.port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.write(`*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join("")}`);
      const [data] = (await once(socket, "data")) as [Buffer];
      return data.toString();
    } finally {
      socket.destroy();
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** Stops and continues the process: it answers nobody meanwhile. */
  stop(): void { this.#child!.kill("SIGSTOP"); }
  go(): void { this.#child!.kill("SIGCONT"); }

  /** What it kept on its disk is gone; for a server that is not running. */
  forget(): void { for (const name of ["appendonlydir", "dump.rdb"]) rmSync(join(this.folder, name), { recursive: true, force: true }); }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
