import type { EventMeta, RouterEvent } from "../core/event.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import { lineOf } from "./encode-event.ts";
import type { Home } from "./home.ts";
import type { Later } from "./later.ts";
import type { Publishing } from "./publishing.ts";
import type { Requests } from "./requests.ts";
import type { WaitOptions } from "./wait.ts";

interface Parts { readonly publishing: Later<Publishing>; readonly requests: Later<Requests>; readonly responders: Later<unknown> }

/** Asks whoever responds to this type; resolves with the response as an event. */
export async function request(engine: Home & Parts, type: string, payload: unknown, options: EventMeta & WaitOptions = {}): Promise<RouterEvent> {
  const { text } = await engine.publishing.use((publishing) => publishing.encode({ ...options, type, payload }));
  const id = engine.nextId();
  const vault = await engine.vault();
  const line = lineOf(text, id, await vault?.sealRequest(type, id, text.payload));
  // What this client offers to answer goes out before what it asks after that.
  await engine.responders.loading;
  const answer = await engine.requests.use((requests) => requests.ask(`the request "${type}"`, (req, left) => `["req",${req},${left}]\n${line}`, options));
  const response = decodeLine(answer as EventLine, engine.connection.welcome!.epoch, timestamps());
  await vault?.openAnswer(response, type, id);
  return response;
}
