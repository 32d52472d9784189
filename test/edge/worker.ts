import { createWorker, type WorkerEnv } from "../../src/hosts/worker.ts";

const worker = createWorker();
/** Logs that keep little. */
const small = createWorker({ binding: "SMALL", retention: { maxEvents: 200 } });

export const SmallObject = small.EventRouterObject;

/** The router as it is deployed, which says when it wakes and when a message reaches it. */
export class EventRouterObject extends worker.EventRouterObject {
  readonly #watched: boolean;

  constructor(...args: ConstructorParameters<typeof worker.EventRouterObject>) {
    super(...args);
    this.#watched = args[0].id.name === "idle";
    if (this.#watched) console.log("idle: woken");
  }

  override async webSocketMessage(...args: Parameters<InstanceType<typeof worker.EventRouterObject>["webSocketMessage"]>): Promise<void> {
    if (this.#watched) console.log("idle: message");
    await super.webSocketMessage(...args);
  }
}

export default {
  fetch: (request: Request, env: WorkerEnv): Promise<Response> => (request.headers.has("X-Small") ? small : worker).fetch(request, env),
};
