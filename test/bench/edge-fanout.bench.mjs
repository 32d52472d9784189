// At the edge, in one workerd: fan-out of 200-byte events, against a bare object that sends each message on to its hibernating sockets: as it comes, or with
// all events of one turn in one message (the limit). Ours also stores each event.
import { bench } from "./lib/bench.mjs";
import { eventJson, ourRest } from "./lib/event.mjs";
import { measureFanOut } from "./lib/fan-out.mjs";
import { wires } from "./lib/raw-sockets.mjs";

const ONE = "bare object, an event a message", LIMIT = "bare object, coalesced", RAW = "event-router, raw wire";
const server = () => ["workerd.mjs", "FOLDER"];

await bench(import.meta.url, {
  contenders: { [ONE]: { wire: () => wires.ws(eventJson), server }, [LIMIT]: { wire: () => wires.wsTogether(eventJson), server }, [RAW]: { wire: () => wires.router(ourRest), server } },
  setups: { "100 subscribers, 256 in flight": { subscribers: 100, inFlight: 256 }, "1,000 subscribers, 64 in flight": { subscribers: 1_000, inFlight: 64 }, "100 subscribers, 1 in flight": { subscribers: 100, inFlight: 1 } },
  measure: measureFanOut,
  metrics: { perSecond: { unit: "deliveries/s" }, serverMicros: { unit: "workerd CPU µs each", digits: 2 } },
  against: [LIMIT, ONE],
  goals: [{ setup: /subscribers/, contender: RAW, metric: "perSecond", against: LIMIT, least: 0.7 }],
});
