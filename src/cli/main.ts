#!/usr/bin/env node
import { monitor } from "./commands/monitor.ts";
import { publish } from "./commands/publish.ts";
import { request } from "./commands/request.ts";
import { start } from "./commands/start.ts";
import { status } from "./commands/status.ts";
import { run } from "./run.ts";
import { openShell } from "./shell.ts";

// The code is set, not exited with: what is still to be written or closed comes to its end.
process.exitCode = await run(process.argv.slice(2), openShell(process), [start, status, monitor, publish, request]);
