import { EventRouterClient } from "../../../src/index.ts";

const WARM = 300, MEASURED = 1_500;
let got = 0;
let expected = Infinity;
let reached = () => {};
let say;

function arrived() {
  if (++got === expected) reached();
}

/** How to say one thing to the hub; resolves when it has come back, or is acknowledged. */
export async function join(how, echo, subscribe) {
  if (how === "bare") {
    const { port } = new SharedWorker("/bare-worker.js", { type: "module" });
    const waiting = new Map();
    let last = 0;
    const self = Math.random();
    port.onmessage = ({ data }) => {
      if (data.self === self) {
        waiting.get(data.id)();
        waiting.delete(data.id);
      }
      if (!data.echo) arrived();
    };
    say = (payload) => new Promise((resolve) => {
      waiting.set(++last, resolve);
      port.postMessage({ id: last, self, echo, type: "sensor.read", payload });
    });
    return;
  }
  const script = how === "disk" ? "/shared-worker.js" : "/tabs-worker.js";
  const client = new EventRouterClient({ transport: "shared-worker", worker: () => new SharedWorker(script, { type: "module" }) });
  await client.connect();
  if (subscribe) await client.subscribe("sensor.read", arrived);
  say = (payload) => client.publish("sensor.read", payload);
}

const payload = (i) => ({ id: i, name: "sensor-17", value: 21.5, unit: "C", tags: ["a", "b"] });

async function flood(inFlight, milliseconds) {
  const end = performance.now() + milliseconds;
  let count = 0;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (performance.now() < end) await say(payload(count++));
  }));
  return count;
}

export async function roundTrips(inFlight) {
  await flood(inFlight, WARM);
  const begun = performance.now();
  const count = await flood(inFlight, MEASURED);
  return { roundTrips: (count * 1_000) / (performance.now() - begun) };
}

/** Says so many things, and returns when each was acknowledged. */
export async function publish(count, inFlight) {
  let next = 0;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next < count) await say(payload(next++));
  }));
}

/** Resolves when so many have come since the start. */
export async function received(count) {
  expected = count;
  if (got < count) await new Promise((resolve) => { reached = resolve; });
}
