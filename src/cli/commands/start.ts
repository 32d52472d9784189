import { once } from "node:events";
import { EventRouterClient } from "../../index.ts";
import type { RunningServer, ServeOptions, ServerLogger } from "../../hosts/server.ts";
import { watchAuthFile } from "../auth-file.ts";
import { announcementFields, announcementText, type Announcement } from "../announcement.ts";
import { defineCommand, type Flags } from "../command.ts";
import { exitCode, failure, usageError } from "../failure.ts";
import { playgroundFolder } from "../playground-folder.ts";
import { version } from "../run.ts";
import { isLoopback, prepareStore, readServeOptions, serveFlags, shownStore } from "../serve-options.ts";
import type { Shell } from "../shell.ts";
import { publishSystemMetrics } from "../system-metrics.ts";
import { json } from "../text.ts";

/** How clients that are told to come back should wait, and how long the stop waits for those that do not leave, ms. */
const STOP = { retryAfter: 1_000, timeout: 5_000 };

export const startFlags = {
  ...serveFlags,
  "system-metrics": { type: "boolean", about: "publish system.cpu, system.memory and system.loop of this machine each second" },
  playground: { type: "string", value: "DIR", about: "serve this folder at / (default: the playground that comes with the package)" },
  "no-playground": { type: "boolean", about: "serve no page at /" },
  json: { type: "boolean", about: "when it is ready, write where it listens as one line of JSON" },
} as const satisfies Flags;

export const start = defineCommand({
  name: "start",
  about: "start a router, until Ctrl-C",
  operands: [],
  flags: startFlags,
  examples: [
    ["start", "on this machine, events in memory"],
    ["start --store sqlite:data/router.db --retain-age 30d", "events on disk, for a month"],
    ["start --store redis://localhost:6379", "one of several routers that share their events"],
    ["start --transport websocket --port 9000 --system-metrics", "with something to look at"],
    ["start --config router.json --port 9000", "options from a file, but for the port; each may be in the environment too, as EVENT_ROUTER_PORT"],
    ["start --host 0.0.0.0 --auth auth.json --tls-cert cert.pem --tls-key key.pem --rate publish=200", "for other machines, each client with rights of its own"],
    ["start --host 0.0.0.0 --api-key $KEY --store sqlite:/var/lib/events.db", "for other machines, with a key"],
  ],
  async run({ flags: typed }, shell) {
    // The other commands start sooner without what only this one needs.
    const { readSettings } = await import("../config.ts");
    const flags = readSettings(typed, startFlags, shell.env);
    const options = readServeOptions(flags);
    if (flags.playground !== undefined && flags["no-playground"]) throw usageError("--playground and --no-playground exclude each other; give one", "start");
    const playground = flags["no-playground"] ? undefined : playgroundFolder(flags.playground);
    await prepareStore(options.store);
    const { serve } = await import("../../hosts/server.ts");
    const server = await serve({ ...options, ...(playground !== undefined && { staticFiles: playground }), logger: loggerOf(shell) });
    const metrics = new AbortController();
    const publishing = flags["system-metrics"] ? publishMetrics(server, options, metrics.signal, shell) : undefined;
    const unwatch = flags.auth === undefined ? () => {} : watchAuthFile(flags.auth, server, shell);
    try {
      const announcement: Announcement = {
        version: version(), host: options.host, port: server.port, url: server.url, store: shownStore(options.store), loopback: isLoopback(options.host),
        auth: authOf(options), playground: flags["no-playground"] ? "off" : playground === undefined ? "missing" : flags.playground === undefined ? "served" : "own",
        systemMetrics: publishing !== undefined,
      };
      await shell.print(flags.json ? json(announcementFields(announcement)) : announcementText(announcement));
      if (!shell.stop.aborted) await once(shell.stop, "abort");
    } finally {
      unwatch();
      metrics.abort();
      await publishing;
      await server.close(STOP);
    }
    shell.note("event-router: stopped");
    return exitCode.done;
  },
});

/** In what ways a client may say who it is. */
function authOf({ apiKeys, auth }: ServeOptions): string {
  const kinds = [(apiKeys ?? auth?.apiKeys) !== undefined && "api_key", auth?.jwt !== undefined && "jwt", auth?.certificates !== undefined && "mtls"].filter((kind) => kind !== false);
  return kinds.join(", ") || "none";
}

/** What goes wrong behind the scenes is told like any other error. */
function loggerOf(shell: Shell): ServerLogger {
  return {
    info: (message) => shell.note(message),
    error: (message, thrown) => shell.note(thrown === undefined ? message : failure(thrown, shell).text),
  };
}

/** As any client would, over the wire: when these events come, the router works. */
async function publishMetrics(server: RunningServer, { apiKeys: [key] = [], auth, tls }: ServeOptions, signal: AbortSignal, shell: Shell): Promise<void> {
  const { url } = server;
  // An address that means all of the machine's is none that one can go to.
  const own = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
  // What fails is told by who waits for it, below.
  const logger = { error() {} };
  // Where there is no key to show, or a certificate that is for other names, whoever has the server may do everything.
  await using client = auth !== undefined || tls !== undefined
    ? server.client({ name: "system", logger })
    : new EventRouterClient({ transport: "websocket", url: own, name: "system", logger, ...(key !== undefined && { auth: { type: "api_key", key } }) });
  await publishSystemMetrics({ client, signal, onError: (error) => shell.note(`${failure(error, { debug: false }).text}; system metrics are missing until it works again`) });
}
