import type { EventRouterClient, Gap } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { eventJson, eventLine } from "../event-text.ts";
import { exitCode } from "../failure.ts";
import { Pause } from "../pause.ts";
import { readCount } from "../quantity.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import { readFrom, readSelection } from "../selection.ts";
import { Interrupted, type Shell } from "../shell.ts";

export const monitor = defineCommand({
  name: "monitor",
  about: "show events as they come, until Ctrl-C; on a terminal space pauses, q ends",
  operands: [{ name: "PATTERN", about: "types to show: * is one segment, ** any number (default: **)", many: true }],
  flags: {
    filter: { type: "string", value: "FILTER", about: "show only these: field:op:value joined by commas, or JSON" },
    from: { type: "string", value: "PLACE", about: "begin at now, start, a seq or a time (default: now)" },
    limit: { type: "string", value: "N", about: "end after so many events" },
    utc: { type: "boolean", about: "show times in UTC (default: local time)" },
    ...routerFlags,
    json: { type: "boolean", about: "write an event a line, as JSON for machines" },
  },
  examples: [
    [`monitor --filter "type:user.*"`, "users only"],
    [`monitor 'order.*' 'payment.**' --filter "priority:gt:5,payload.total:gte:100"`, "patterns and a filter; the quotes keep the shell away from the stars"],
    ["monitor --from start --limit 10 --json", "the first ten events of the log"],
    [`monitor --from 2024-01-01T12:00:00Z --filter '{"payload.tags": {"$all": ["new"]}}'`, "since then, with a filter in JSON"],
  ],
  async run({ flags, operands }, shell) {
    const router = routerAccess("monitor", flags, shell);
    const selection = readSelection(operands, flags.filter, "monitor");
    const from = readFrom(flags.from ?? "now", "monitor");
    const limit = flags.limit === undefined ? Infinity : readCount(flags.limit, "--limit", "monitor", [1, Number.MAX_SAFE_INTEGER]);
    // A wrong address or credential is told at once; only what has worked is waited for when it is lost.
    await router.reach(shell.stop);
    await using client = router.connect({ reconnect: { enabled: true } });
    tellOfConnection(client, shell);
    const left = new AbortController();
    using pause = new Pause(shell, () => left.abort(new Interrupted("left with q")));
    const signal = AbortSignal.any([shell.stop, left.signal]);
    try {
      await using events = await client.subscribe({ ...selection, from, signal });
      events.onGap((gap) => shell.note(`event-router: gap: ${describe(gap)}`));
      shell.note(`event-router: listening to ${selection.topics.join(" ")} at ${router.url}; Ctrl-C ends it${pause.possible ? ", space pauses it" : ""}`);
      let shown = 0;
      for await (const event of events) {
        await pause.over;
        if (signal.aborted) break;
        await shell.print(flags.json ? eventJson(event) : eventLine(event, { utc: flags.utc ?? false, colour: shell.colour }));
        if (++shown >= limit) break;
      }
    } catch (error) {
      // Ctrl-C is how one leaves.
      if (!(signal.reason instanceof Interrupted)) throw error;
    }
    return exitCode.done;
  },
});

function describe({ from, to, reason }: Gap): string {
  if (to === null) return `the router has begun a new log; what followed ${from - 1} in the old one will not come`;
  return `events ${from} to ${to} will not come: ${reason === "revoked" ? "this credential may no longer read them" : "the log no longer has them"}`;
}

function tellOfConnection(client: EventRouterClient, shell: Shell): void {
  let lost = false;
  client.onStateChange((state) => {
    if (state === "offline") shell.note("event-router: connection lost; connecting again, and going on where it stopped");
    if (state === "connected" && lost) shell.note("event-router: connected again");
    lost = state === "offline";
  });
}
