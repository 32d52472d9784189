import { createApp, type AppOptions } from "../../src/http/app.ts";
import { serverClock, serverSurroundings } from "../../src/hosts/surroundings.ts";
import { memoryStore, Router, type RouterOptions } from "../../src/router.ts";
import { RawClient } from "../support/raw-client.ts";

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- decoded
  readonly body: any;
}

/** The HTTP side of a router in memory, without a server. */
export function httpApp({ router: routerOptions = {}, ...options }: Omit<Partial<AppOptions>, "router"> & { router?: Partial<RouterOptions> } = {}) {
  const failures: unknown[] = [];
  const surroundings = serverSurroundings(() => router.tick());
  const router: Router = new Router({ store: memoryStore(surroundings), surroundings, ...routerOptions });
  const app = createApp({ clock: serverClock, randomBytes: surroundings.randomBytes, onError: (error) => void failures.push(error), ...options, router });

  const call = async (method: string, path: string, { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {}): Promise<Answer> => {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const response = await app.request(path, { method, headers: { host: "router", ...(text !== undefined && { "content-type": "application/json" }), ...headers }, ...(text !== undefined && { body: text }) });
    const content = await response.text();
    const type = response.headers.get("content-type");
    return { status: response.status, type, headers: response.headers, body: type?.includes("json") ? JSON.parse(content) : content };
  };
  return {
    app, router, failures, call,
    get: (path: string, headers?: Record<string, string>) => call("GET", path, headers && { headers }),
    post: (path: string, body: unknown, headers?: Record<string, string>) => call("POST", path, { body, ...(headers && { headers }) }),
    /** A session beside HTTP, which has been welcomed. */
    async join(): Promise<RawClient> {
      const client = new RawClient(router);
      client.hello();
      while (client.welcome === undefined) await new Promise((resolve) => setImmediate(resolve));
      return client;
    },
  };
}
