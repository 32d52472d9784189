// An MQTT broker on Node.
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { endWithParent } from "../lib/processes.mjs";

const broker = await Aedes.createBroker({ concurrency: 1_000, heartbeatInterval: 600_000 });
const server = createServer(broker.handle).listen(0, "127.0.0.1", () => console.log(`READY ${server.address().port}`));
endWithParent();
