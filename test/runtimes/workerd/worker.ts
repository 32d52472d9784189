import { createWorker } from "../../../src/hosts/worker.ts";

/** What the tests in workerd talk to: the router as it is deployed, and one whose logs keep little. */
const worker = createWorker();
const small = createWorker({ binding: "SMALL", retention: { maxEvents: 200 } });

export const EventRouterObject = worker.EventRouterObject;
export const SmallObject = small.EventRouterObject;

export default {
  fetch: (request: Request, env: Readonly<Record<string, unknown>>): Promise<Response> => (request.headers.has("X-Small") ? small : worker).fetch(request, env),
};
