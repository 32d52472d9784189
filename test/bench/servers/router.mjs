// Ours: router.mjs memory | sqlite:FILE
import { serve } from "../../../src/hosts/server.ts";
import { endWithParent } from "../lib/processes.mjs";

const server = await serve({ port: 0, store: process.argv[2] });
endWithParent();
console.log(`READY ${server.port}`);
