// A router in a process of its own, for tests that kill it or look at its memory. It waits for a line, the options of `serve()` as JSON, so that
// it is ready when it is needed; answers with a line of JSON once it listens; and ends with whoever started it.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { serve, type ServeOptions } from "../../src/hosts/server.ts";

process.stdin.on("end", () => process.exit(0));
const [line] = (await once(createInterface({ input: process.stdin }), "line")) as [string];
const { url } = await serve(JSON.parse(line) as ServeOptions);
process.stdout.write(`${JSON.stringify({ url })}\n`);
