import { ask } from "../ask.ts";
import { defineCommand } from "../command.ts";
import { exitCode } from "../failure.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import { table } from "../table.ts";
import { json } from "../text.ts";

interface Subscription {
  readonly id: string;
  readonly topics: readonly string[];
  readonly name?: string;
  readonly subject?: string;
  readonly client_id?: string;
  readonly durable?: string;
  readonly group?: string;
  readonly lag: number;
  readonly in_flight?: number;
}

export const subscriptions = defineCommand({
  name: "subscriptions",
  about: "list who reads what, and how far behind it is",
  operands: [],
  flags: routerFlags,
  examples: [
    ["subscriptions", "sessions, durable names and groups"],
    ["subscriptions --json", "for machines"],
  ],
  async run({ flags }, shell) {
    const router = routerAccess("subscriptions", flags, shell);
    const all = await ask<readonly Subscription[]>(router, "/api/v1/subscriptions", { signal: AbortSignal.any([shell.stop, AbortSignal.timeout(router.timeout)]) });
    if (flags.json) await shell.print(json(all));
    else if (all.length === 0) shell.note("event-router: nobody subscribes");
    else await shell.print(table(["LAG", "IN FLIGHT", "WHO", "AS", "ID", "TOPICS"], all.map(row)));
    return exitCode.done;
  },
});

function row({ id, topics, name, subject, client_id: client, durable, group, lag, in_flight: inFlight }: Subscription): readonly string[] {
  const who = client === undefined ? "nobody now" : name ?? subject ?? "anonymous";
  const as = durable !== undefined ? `durable ${durable}` : group !== undefined ? `group ${group}` : "";
  return [lag.toLocaleString("en-US"), (inFlight ?? 0).toLocaleString("en-US"), who, as, id, topics.join(" ")];
}
