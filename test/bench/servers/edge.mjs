// `wrangler dev` with the router's object and a bare one.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WranglerDev } from "../../edge/wrangler-dev.ts";

const edge = await WranglerDev.start(fileURLToPath(new URL("edge.toml", import.meta.url)));
console.log(`READY ${edge.port}`);
process.stdin.resume();
await once(process.stdin, "end");
await edge[Symbol.asyncDispose]();
process.exit(0);
