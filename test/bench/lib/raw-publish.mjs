// Publishing with acknowledgement by sockets written by hand, over one router or several that share a log.
import { setTimeout as sleep } from "node:timers/promises";
import { ourRest } from "./event.mjs";
import { cpuSeconds } from "./processes.mjs";
import { frameLengths, openSocket, routerLines, textFrame, wires } from "./raw-sockets.mjs";
import { quantiles } from "./statistics.mjs";

/**
 * Closed loops without a promise for each event: what was answered in one read is replaced in one write. So many events are in flight over all ports.
 * Per second, the latencies in ms, and the CPU that one event costs the server of this pid, if there is one, and the load.
 */
export async function rawPublish({ ports, pid, inFlight, warmUp, milliseconds }) {
  const latencies = [];
  let measuring = false;
  await Promise.all(ports.map((port, i) => loop(port, Math.floor(inFlight / ports.length) + (i < inFlight % ports.length ? 1 : 0), (ms) => { if (measuring) latencies.push(ms); })));
  await sleep(warmUp);
  measuring = true;
  const before = { at: performance.now(), server: cpuSeconds(pid), load: process.cpuUsage() };
  await sleep(milliseconds);
  measuring = false;
  const perSecond = (latencies.length * 1_000) / (performance.now() - before.at);
  const server = (cpuSeconds(pid) - before.server) * 1e6;
  const { user, system } = process.cpuUsage(before.load);
  return { perSecond, ...quantiles(latencies), serverMicros: server / latencies.length, loadMicros: (user + system) / latencies.length };
}

async function loop(port, inFlight, took) {
  const line = routerLines(ourRest);
  let req = 0;
  let answered = () => {};
  // Bytes of the answers tell nothing of their number here, so frames are looked into: each answer begins a line with `["pub",`.
  const wire = {
    ...wires.router(ourRest),
    counter(write) {
      let received = 0;
      let acked = 0;
      const walk = frameLengths((length) => {
        received += length;
        if (received - acked < 256 * 1024) return;
        acked = received;
        write(textFrame(`["ack",${received}]`));
      });
      return (bytes, length) => {
        walk(bytes, length);
        let answers = 0;
        // `"` comes twice in an answer to one event.
        for (let at = bytes.indexOf(0x22); at >= 0 && at < length; at = bytes.indexOf(0x22, at + 1)) answers += 0.5;
        return answers;
      };
    },
  };
  const socket = await openSocket(wire, port, "pub", (answers) => answered(answers));
  const publish = (count) => {
    let text = "";
    for (let i = 0; i < count; i++) text += `${i === 0 ? "" : "\n"}["pub",${++req},1,{"as":"each","run":1}]\n${line()}`;
    socket.write(textFrame(text));
  };
  // Answers come in the order of what was sent, so the times are a queue.
  let times = [];
  let next = 0;
  let half = 0;
  const send = (count) => {
    const now = performance.now();
    for (let i = 0; i < count; i++) times.push(now);
    publish(count);
  };
  answered = (answers) => {
    const whole = Math.floor((half += answers));
    half -= whole;
    if (whole === 0) return;
    const now = performance.now();
    for (let i = 0; i < whole; i++) took(now - times[next++]);
    if (next > 65_536) {
      times = times.slice(next);
      next = 0;
    }
    send(whole);
  };
  send(inFlight);
}
