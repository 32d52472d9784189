import { cpuSeconds } from "./processes.mjs";
import { quantiles } from "./statistics.mjs";

/** A closed loop: so many operations are always in flight. Per second, the latencies in ms, and the CPU that one costs the server (of this pid) and here. */
export async function closedLoop(operation, inFlight, { pid, milliseconds = 1_500, warmUp = 400 } = {}) {
  const run = async (budget, latencies) => {
    const begun = performance.now();
    let count = 0;
    const lane = async () => {
      for (let at = performance.now(); at - begun < budget;) {
        await operation();
        count++;
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return (count * 1_000) / (performance.now() - begun);
  };
  await run(warmUp, []);
  const latencies = [];
  const before = { server: cpuSeconds(pid), load: process.cpuUsage() };
  const perSecond = await run(milliseconds, latencies);
  const server = (cpuSeconds(pid) - before.server) * 1e6;
  const { user, system } = process.cpuUsage(before.load);
  return { perSecond, ...quantiles(latencies), serverMicros: server / latencies.length, loadMicros: (user + system) / latencies.length };
}

/** A bare WebSocket whose answers come in the order of what was sent: a promise for each. */
export async function fifoSocket(url) {
  const { default: WebSocket } = await import("ws");
  const socket = new WebSocket(url, { perMessageDeflate: false });
  let waiting = [];
  let next = 0;
  socket.on("message", () => {
    waiting[next++]();
    if (next < 4_096) return;
    waiting = waiting.slice(next);
    next = 0;
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return { socket, send: (text) => new Promise((resolve) => { waiting.push(resolve); socket.send(text); }) };
}
