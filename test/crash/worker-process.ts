// A member of a group in a process of its own, to be killed: `node worker-process.ts URL ACK_TIMEOUT`. It writes a line for each event that it begins and finishes.
import { setTimeout as passed } from "node:timers/promises";
import { EventRouterClient } from "../../src/index.ts";

const [, , url, ackTimeout] = process.argv;
const client = new EventRouterClient({ url: url!, reconnect: { minDelay: 5, maxDelay: 40 } });
await client.subscribe({
  topics: "job", group: "workers", concurrency: 4, maxInFlight: 8, ackTimeout: Number(ackTimeout),
  async handler({ seq }, { attempt }) {
    process.stdout.write(`begin ${seq} ${attempt} ${Date.now()}\n`);
    // The work.
    await passed(12);
    process.stdout.write(`end ${seq} ${attempt} ${Date.now()}\n`);
  },
});
process.stdout.write("ready\n");
