import { DurableObject } from "cloudflare:workers";
import { workerScope, type ObjectNamespace, type ObjectState, type SleepingSocket } from "../../../src/hosts/durable-object.ts";
import { createWorker, type WorkerEnv } from "../../../src/hosts/worker.ts";

const router = createWorker();

export const EventRouterObject = router.EventRouterObject;

type Tagged = ObjectState & { acceptWebSocket(socket: SleepingSocket, tags: string[]): void; getWebSockets(tag?: string): SleepingSocket[]; getTags(socket: SleepingSocket): string[] };

/** What an object must at least do: keep a message in a row and answer it (`/store`), send it to every subscriber (`/pub` to `/sub`), or all of one turn as one message (`/pub-together`). */
export class BareObject extends DurableObject<WorkerEnv> {
  readonly #state: Tagged;
  #waiting: string[] = [];

  constructor(state: ObjectState, env: WorkerEnv) {
    super(state, env);
    this.#state = state as Tagged;
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, body TEXT)");
  }

  fetch(request: Request): Response {
    const { 0: client, 1: server } = new (workerScope().WebSocketPair)();
    this.#state.acceptWebSocket(server, [new URL(request.url).pathname]);
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  webSocketMessage(socket: SleepingSocket, message: string): void {
    const [path] = this.#state.getTags(socket);
    if (path === "/store") {
      this.#state.storage.sql.exec("INSERT INTO log (body) VALUES (?)", message);
      socket.send("ok");
    } else if (path === "/pub") for (const one of this.#state.getWebSockets("/sub")) one.send(message);
    else if (this.#waiting.push(message) === 1) setTimeout(() => this.#flush(), 0);
  }

  #flush(): void {
    const message = this.#waiting.splice(0).join("\n");
    for (const one of this.#state.getWebSockets("/sub-together")) one.send(message);
  }
}

export default {
  fetch(request: Request, env: WorkerEnv): Promise<Response> {
    if (!/^\/(store|(pub|sub)(-together)?)$/.test(new URL(request.url).pathname)) return router.fetch(request, env);
    const objects = env.BARE as ObjectNamespace;
    return objects.get(objects.idFromName("bare") as never).fetch(request);
  },
};
