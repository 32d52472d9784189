// A redis-server of its own, and so many routers on it, each in a process: redis-routers.mjs FOLDER ROUTERS
// FOLDER/ports.json says where they are, as { redis, routers }. READY tells the port of the first.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { RedisServer } from "../../support/redis-server.ts";
import { endWithParent } from "../lib/processes.mjs";

const [folder, routers] = process.argv.slice(2);
const redis = await RedisServer.start();
const ports = await Promise.all(Array.from({ length: Number(routers) }, async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("router.mjs", import.meta.url)), redis.url], { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith("READY ")) return { port: Number(line.slice(6)), pid: child.pid };
}));
writeFileSync(join(folder, "ports.json"), JSON.stringify({ redis: redis.port, redisPid: redis.pid, routers: ports }));
process.on("exit", () => process.kill(redis.pid, "SIGKILL"));
endWithParent();
console.log(`READY ${ports[0]?.port ?? redis.port}`);
