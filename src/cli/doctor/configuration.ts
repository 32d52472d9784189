import { access, constants, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { startFlags } from "../commands/start.ts";
import { readSettings } from "../config.ts";
import { messageOf } from "../failure.ts";
import { isLoopback, readServeOptions, shownStore } from "../serve-options.ts";
import type { Shell } from "../shell.ts";
import { failed, ok, warning, type Finding } from "./finding.ts";

/** Less than this, and the log will soon not be written any more. */
const LITTLE_SPACE = 1024 ** 3;

type Options = ReturnType<typeof readServeOptions>;

/** Whether `start --config FILE` would work here and now, and what its operator should know. */
export async function* checkConfiguration(file: string, { env }: Shell): AsyncGenerator<Finding> {
  let options: Options;
  try {
    options = readServeOptions(readSettings({ config: file }, startFlags, env));
  } catch (error) {
    return yield failed("configuration", messageOf(error));
  }
  yield ok("configuration", `${file} and the environment are understood`);
  const inFile = (await stat(file)).mode & 0o077;
  if (options.apiKeys !== undefined && inFile !== 0 && !env.EVENT_ROUTER_API_KEYS) yield warning("secrets", `${file} holds API keys and other users may read it; type: chmod 600 ${file}`);
  yield whoGetsIn(options);
  yield await portOf(options);
  yield* storeOf(options);
}

function whoGetsIn({ host, apiKeys, auth, tls, allowAnonymous }: Options): Finding {
  if (isLoopback(host)) return ok("access", apiKeys === undefined && auth === undefined ? `${host}: only from this machine` : `${host}: only from this machine, with a key`);
  if (allowAnonymous) return warning("access", `${host}: everybody who reaches it may do everything; give API keys unless that is meant`);
  if (tls !== undefined) return ok("access", `${host}: other machines get in with a credential, over TLS`);
  return warning("access", `${host}: other machines get in with a key, unencrypted; put a proxy with TLS in front of it`);
}

async function portOf({ host, port }: Options): Promise<Finding> {
  if (port === 0) return ok("port", "any that is free");
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen(port, host, done);
    });
    return ok("port", `${port} of ${host} is free`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EADDRINUSE"
      ? failed("port", `${port} of ${host} is in use, perhaps by the router itself; check that one with: event-router doctor --url http://127.0.0.1:${port}`)
      : failed("port", `${port} of ${host} cannot be listened on: ${messageOf(error)}`);
  } finally {
    server.close();
  }
}

async function* storeOf({ store, retention }: Options): AsyncGenerator<Finding> {
  if (store === "memory") return yield warning("store", "events are in memory and gone when the router stops; keep them with store: sqlite:FILE");
  if (store.startsWith("sqlite:")) yield* folderOf(store);
  else yield* redisOf(store);
  const keeps = Object.values(retention ?? {}).some((limit) => limit !== undefined);
  yield keeps ? ok("retention", "the log is trimmed") : warning("retention", "the log keeps everything and grows without end; say how long with retainAge, retainEvents or retainBytes");
}

async function* redisOf(name: string): AsyncGenerator<Finding> {
  const { redisStore } = await import("../../stores/redis.ts");
  const warnings: Finding[] = [];
  try {
    const store = await redisStore(name, { onWarning: ({ message }) => warnings.push(warning("store", message)), onError: () => {} });
    await store.close();
    yield ok("store", `${shownStore(name)} answers; an ack survives as durability ${JSON.stringify(store.durability)} says`);
    yield* warnings;
  } catch (error) {
    yield failed("store", messageOf(error));
  }
}

async function* folderOf(store: string): AsyncGenerator<Finding> {
  const folder = dirname(resolve(store.slice("sqlite:".length)));
  const place = await firstThere(folder);
  if (!(await stat(place)).isDirectory()) return yield failed("store", `${place} is no folder, so the log cannot be in it; name another`);
  try {
    await access(place, constants.W_OK);
  } catch {
    return yield failed("store", `the folder ${place} may not be written to; make it the router's: chown, or name another`);
  }
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  const gigabytes = (free / 1024 ** 3).toFixed(1);
  yield free < LITTLE_SPACE ? warning("store", `${folder} has ${gigabytes} GiB left; a full disk stops publishing`) : ok("store", `${folder} can be written to and has ${gigabytes} GiB left`);
}

/** The folder, or the nearest above it that is there: `start` makes the rest. */
async function firstThere(folder: string): Promise<string> {
  return await stat(folder).then(() => folder, () => (folder === dirname(folder) ? folder : firstThere(dirname(folder))));
}
