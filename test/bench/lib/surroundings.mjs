// On what, and with what, figures were measured.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

const PACKAGES = ["ws", "socket.io", "socket.io-client", "aedes", "@nats-io/transport-node", "@nats-io/jetstream", "ioredis", "redis", "bullmq", "emittery", "rxjs", "eventemitter2", "sift", "mingo", "jose", "@noble/ciphers"];
const PROGRAMS = { "nats-server": "--version", "redis-server": "--version", mosquitto: "-h" };

export function machine() {
  return { processor: cpus()[0].model.trim(), processors: availableParallelism(), memory: `${Math.round(totalmem() / 2 ** 30)} GiB`, system: `${type()} ${release()}`, date: new Date().toISOString().slice(0, 10) };
}

/** Of contenders, where they are there. */
export function versions() {
  const found = { node: process.versions.node, sqlite: process.versions.sqlite };
  for (const name of PACKAGES) {
    try {
      found[name] = JSON.parse(readFileSync(new URL(`../../../node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
    } catch {
      // It is not installed.
    }
  }
  // The one that `wrangler dev` runs.
  found.workerd = createRequire(createRequire(import.meta.url).resolve("wrangler"))("workerd/package.json").version;
  for (const [name, option] of Object.entries(PROGRAMS)) {
    const version = /\d+\.\d+\.\d+/.exec(spawnSync(name, [option], { encoding: "utf8" }).stdout ?? "")?.[0];
    if (version !== undefined) found[name] = version;
  }
  return found;
}
