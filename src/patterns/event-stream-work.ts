import { checkFunction, checkOptions, wholeNumber } from "../client/check-options.ts";
import type { Receipt } from "../client/receipt.ts";
import { EventRouterError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import type { AppendAllOptions, AppendInit, AppendOptions, FoldOptions, ReadStreamOptions, StreamHome } from "./event-stream-options.ts";

/** Events in one page of a read. */
const PAGE = 500;
/** The type of the events that keep a fold's state, in the companion stream `<stream>:<name>`. */
const SNAPSHOT = "stream.snapshot";

interface Page { readonly epoch: string; readonly events: readonly EventLine[]; readonly next: number | null }
interface Snapshot<State> { readonly version: number; readonly state: State }

export async function append({ client, stream }: StreamHome, typeOrEvents: string | readonly AppendInit[], payloadOrOptions?: unknown, options?: AppendOptions): Promise<Receipt | Receipt[]> {
  if (typeof typeOrEvents !== "string") {
    const { expectedVersion, ...wait } = (payloadOrOptions ?? {}) as AppendAllOptions;
    return client.publishEvents(typeOrEvents.map((event) => ({ ...event, stream })), { ...wait, ...expecting(stream, expectedVersion) });
  }
  const { expectedVersion = "any", timeout, signal, ...meta } = options ?? {};
  const event = { ...meta, type: typeOrEvents, payload: payloadOrOptions, stream };
  if (expectedVersion === "any") return client.publish(event, { timeout, signal });
  return (await client.publishEvents([event], { timeout, signal, ...expecting(stream, expectedVersion) }))[0]!;
}

function expecting(stream: string, version: AppendOptions["expectedVersion"] = "any"): { readonly expect?: { readonly stream: string; readonly version: number | "no-stream" } } {
  return version === "any" ? {} : { expect: { stream, version } };
}

export async function* read({ tools, stream }: StreamHome, options: ReadStreamOptions = {}): AsyncGenerator<RouterEvent, undefined, void> {
  checkOptions(options, "fromVersion limit direction timeout signal", "read");
  const { fromVersion, direction, ...wait } = options;
  let left = wholeNumber(options.limit, "limit", Infinity, 0);
  const timestamp = timestamps();
  for (let from: number | null | undefined = fromVersion; from !== null && left > 0; ) {
    const page = await tools.call("stream", { stream, direction, from, limit: Math.min(left, PAGE) }, { timeout: wait.timeout, signal: wait.signal }) as Page;
    for (const line of page.events) {
      const event = decodeLine(line, page.epoch, timestamp);
      await (await tools.vault())?.openEvent(event);
      yield event;
      left--;
    }
    from = page.next;
  }
  return undefined;
}

export async function readAll(home: StreamHome, options?: ReadStreamOptions): Promise<RouterEvent[]> {
  const events = [];
  for await (const event of read(home, options)) events.push(event);
  return events;
}

export async function fold<State>(home: StreamHome, reduce: (state: State, event: RouterEvent) => State | Promise<State>, initial: State, options: FoldOptions = {}): Promise<State> {
  checkFunction(reduce, "reduce");
  checkOptions(options, "snapshotEvery name timeout signal", "fold");
  const { snapshotEvery, name = "state", ...wait } = options;
  const every = wholeNumber(snapshotEvery, "snapshotEvery", Infinity);
  const companion = { ...home, stream: `${home.stream}:${name}` };
  let state = initial;
  let next = 0;
  if (snapshotEvery !== undefined) {
    for await (const { payload } of read(companion, { ...wait, direction: "backward", limit: 1 })) {
      ({ state } = payload as Snapshot<State>);
      next = (payload as Snapshot<State>).version + 1;
    }
  }
  const first = next;
  for await (const event of read(home, { ...wait, fromVersion: next })) {
    if (event.version !== next) throw incomplete(home.stream, next, event.version!);
    state = await reduce(state, event);
    next++;
  }
  // Without it the next fold takes longer, and nothing else is amiss.
  if (next - first >= every) await append(companion, SNAPSHOT, { version: next - 1, state }).catch(home.tools.report);
  return state;
}

function incomplete(stream: string, from: number, to: number): EventRouterError {
  return new EventRouterError("ERR_STREAM_INCOMPLETE", `versions ${from} to ${to - 1} of the event stream "${stream}" were trimmed, or may not be read; fold it with snapshots before the log's retention passes, or ask for the permission`, { details: { from, to: to - 1 } });
}
