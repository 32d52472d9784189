import { asyncDispose } from "../core/dispose.ts";
import type { RequestHandler, RespondOptions, Responder, Responders } from "./responders.ts";

/** A responder whose code may still be on its way. */
export function offer(patterns: readonly string[], responders: Promise<Responders>, options: RespondOptions, handler: RequestHandler, report: (error: unknown) => void): Responder {
  const added = responders.then((loaded) => loaded.add(patterns, options, handler));
  let asked = false;
  const ready = added.then(async (one) => {
    await one.ready;
    return responder;
  });
  ready.catch((error: unknown) => { if (!asked) report(error); });
  const stop = async (): Promise<void> => (await responders).stop((await added).id);
  const responder: Responder = {
    patterns,
    get ready() {
      asked = true;
      return ready;
    },
    stop,
    [asyncDispose]: stop,
  };
  return responder;
}
