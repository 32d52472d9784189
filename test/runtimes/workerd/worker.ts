import { createWorker, type WorkerEnv } from "../../../src/hosts/worker.ts";
import { guardedEnvironment } from "./guarded.ts";

/** What the tests in workerd talk to: the router as it is deployed, one whose logs keep little, and one that is told in its environment whom to let in. */
const worker = createWorker();
const small = createWorker({ binding: "SMALL", retention: { maxEvents: 200 } });
const guarded = createWorker({ binding: "GUARDED" });
const bare = createWorker({ binding: "BARE" });
/** Whose peers must give a sign of life all the time. */
const sweeping = createWorker({ binding: "SWEEPING", heartbeat: 50 });
/** Whose WebSockets are spread over relays. */
const relayed = createWorker({ binding: "RELAYED", relays: 3 });
/** The same objects as they are reached after a change of their number. */
const more = createWorker({ binding: "RELAYED", relays: 5 });
const none = createWorker({ binding: "RELAYED" });
const guardedRelayed = createWorker({ binding: "GUARDED_RELAYED", relays: 2 });
const relayedSmall = createWorker({ binding: "RELAYED_SMALL", relays: 3, retention: { maxEvents: 200 } });

export const EventRouterObject = worker.EventRouterObject;
export const SmallObject = small.EventRouterObject;
export const RelayedObject = relayed.EventRouterObject;
export const RelayedSmallObject = relayedSmall.EventRouterObject;
export const SweepingObject = sweeping.EventRouterObject;
export class GuardedObject extends guarded.EventRouterObject {
  constructor(ctx: ConstructorParameters<typeof EventRouterObject>[0], env: WorkerEnv) {
    super(ctx, { ...env, ...guardedEnvironment });
  }
}
export class GuardedRelayedObject extends guardedRelayed.EventRouterObject {
  constructor(ctx: ConstructorParameters<typeof EventRouterObject>[0], env: WorkerEnv) {
    super(ctx, { ...env, ...guardedEnvironment });
  }
}
/** As right after the first deploy. */
export class BareObject extends bare.EventRouterObject {
  constructor(ctx: ConstructorParameters<typeof EventRouterObject>[0], env: WorkerEnv) {
    super(ctx, { ...env, ALLOW_ANONYMOUS: "false" });
  }
}

const workers: Readonly<Record<string, typeof worker>> = { small, guarded, bare, sweeping, relayed, "relayed-small": relayedSmall, "relayed-more": more, "relayed-none": none, "guarded-relayed": guardedRelayed };

export default {
  fetch: (request: Request, env: WorkerEnv): Promise<Response> => (workers[request.headers.get("X-Worker") ?? ""] ?? worker).fetch(request, env),
};
