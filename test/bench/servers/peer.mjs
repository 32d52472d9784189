// Servers of others, each a process of its own on a free port: peer.mjs nats|jetstream|redis|redis-always|redis-everysec|mosquitto FOLDER
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { fixedPort } from "../../support/fixed-port.ts";
import { endWithParent } from "../lib/processes.mjs";

const [name, folder] = process.argv.slice(2);
const port = await fixedPort();
const file = (text) => {
  const path = join(folder, "peer.conf");
  writeFileSync(path, text);
  return path;
};
const redis = (...more) => ["redis-server", ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", "--maxclients", "12000", "--client-output-buffer-limit", "pubsub 0 0 0", ...more]];
const nats = (more = "") => ["nats-server", ["-c", file(`listen: "127.0.0.1:${port}"\nping_interval: "10m"\nmax_pending: 256MB\nwrite_deadline: "30s"\n${more}`)]];

const [command, args] = {
  nats: () => nats(),
  jetstream: () => nats(`jetstream { store_dir: "${folder}" }\n`),
  redis: () => redis(),
  "redis-always": () => redis("--appendonly", "yes", "--appendfsync", "always"),
  "redis-everysec": () => redis("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"),
  mosquitto: () => ["mosquitto", ["-c", file(`listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 100000\nset_tcp_nodelay true\nlog_type none\nuser root\n`)]],
}[name]();

const server = spawn(command, args, { stdio: "ignore" });
server.on("exit", (code) => process.exit(code ?? 1));
process.on("exit", () => server.kill("SIGKILL"));
for (;;) {
  const open = await new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
  if (open) break;
  await new Promise((resolve) => { setTimeout(resolve, 20); });
}
endWithParent();
console.log(`READY ${port} ${server.pid}`);
