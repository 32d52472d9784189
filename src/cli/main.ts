#!/usr/bin/env node
import type { Command } from "./command.ts";
import { bench } from "./commands/bench.ts";
import { completionCommand } from "./commands/completion.ts";
import { dlq } from "./commands/dlq.ts";
import { doctor } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { keys } from "./commands/keys.ts";
import { monitor } from "./commands/monitor.ts";
import { publish } from "./commands/publish.ts";
import { purge } from "./commands/purge.ts";
import { replay } from "./commands/replay.ts";
import { request } from "./commands/request.ts";
import { start } from "./commands/start.ts";
import { status } from "./commands/status.ts";
import { subscriptions } from "./commands/subscriptions.ts";
import { token } from "./commands/token.ts";
import { run } from "./run.ts";
import { openShell } from "./shell.ts";

const commands: readonly Command[] = [start, status, monitor, publish, request, replay, exportCommand, importCommand, purge, dlq, subscriptions, keys, token, bench, doctor, completionCommand(() => commands)];

// The code is set, not exited with: what is still to be written or closed comes to its end.
process.exitCode = await run(process.argv.slice(2), openShell(process), commands);
