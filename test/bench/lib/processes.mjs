// Fresh processes for every measurement: servers on one processor, load on another, where `taskset` can pin them.
//   PROFILE=DIR   every process of the bench leaves a .cpuprofile in DIR
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";

const SERVER_CPU = "0", LOAD_CPU = "1";
/** Ticks of /proc are 1/100 s on every Linux that Node runs on. */
const HZ = 100;

export const pinned = availableParallelism() > 1 && spawnSync("taskset", ["-c", LOAD_CPU, "true"]).status === 0;

function run(cpu, script, args, role) {
  const profile = process.env.PROFILE === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${process.env.PROFILE}`, `--cpu-prof-name=${role}-${process.hrtime.bigint()}.cpuprofile`];
  const command = [process.execPath, ...profile, script, ...args];
  const [file, ...rest] = pinned ? ["taskset", "-c", cpu, ...command] : command;
  // A child ends when its stdin does, so none is left behind when the bench is killed.
  return spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
}

/** In a child: ends with its parent. */
export function endWithParent() {
  process.stdin.resume().on("end", () => process.exit(0)).unref?.();
}

export function isInstalled(program) {
  return spawnSync(program, ["--version"]).error === undefined;
}

/** Starts a server, a script that prints `READY port`, or `READY port pid` where the server is a process of its own. */
export async function startServer(script, args = []) {
  const child = run(SERVER_CPU, script, args, "server");
  const gone = once(child, "exit").then(([code]) => { throw new Error(`${script} ended with ${code}`); });
  gone.catch(() => {});
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, port, pid = child.pid] = line.split(" ");
      if (word === "READY") return { port: Number(port), pid: Number(pid) };
    }
    return gone;
  })();
  const where = await Promise.race([ready, gone, later(20_000, `${script} is not ready after 20 s`)]);
  return {
    ...where,
    async stop() {
      child.stdin.end();
      const kill = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await gone.catch(() => {});
      clearTimeout(kill);
    },
  };
}

/** What a script, started with `--child WORK`, answers: the last line it prints. */
export async function measureInChild(script, work, timeout = 120_000) {
  const child = run(LOAD_CPU, script, ["--child", JSON.stringify(work)], "load");
  let out = "";
  child.stdout.on("data", (data) => { out += data; });
  const kill = setTimeout(() => child.kill("SIGKILL"), timeout);
  const [code] = await once(child, "close");
  clearTimeout(kill);
  if (code !== 0) throw new Error(`the measurement ended with ${code ?? `SIGKILL after ${timeout} ms`}`);
  return JSON.parse(out.trim().split("\n").at(-1));
}

/** CPU seconds a process has used; NaN where /proc is not. */
export function cpuSeconds(pid) {
  const [user, system] = stat(pid).slice(11, 13);
  return (Number(user) + Number(system)) / HZ;
}

/** How many processors other programs kept busy since the call, while this bench ran; undefined where /proc is not. */
export function watchNoise() {
  const before = machine();
  const begun = performance.now();
  return () => {
    const after = machine();
    const others = ((after.busy - before.busy - (after.own - before.own)) * 1_000) / (performance.now() - begun);
    return Number.isFinite(others) ? Number(Math.max(0, others).toFixed(2)) : undefined;
  };
}

function machine() {
  try {
    const [user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8").split("\n", 1)[0].trim().split(/\s+/).slice(1).map(Number);
    // Fields 14 to 17: own time, and that of children that have ended.
    const own = stat("self").slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
    return { busy: (user + nice + system + irq + softirq) / HZ, own: own / HZ };
  } catch {
    return { busy: NaN, own: NaN };
  }
}

/** Fields of /proc/PID/stat from the third on; the second, the name, may hold anything. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

function later(ms, message) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(message)), ms).unref());
}
