import { EventRouterError, type EventInit, type EventRouterClient } from "../index.ts";

/** Events that are sent together and the size of their payloads, and such groups that wait for the router's answer at a time: so memory stays the same however many there are. */
const GROUP = { events: 250, size: 256 * 1024 };
const GROUPS = 4;

export interface PublishedCounts { published: number; duplicates: number }

/**
 * Publishes events in their order and counts what became of them. Each stands for itself; the first that the router refuses ends it.
 * @param counts Counted up as answers come, so that they are right also when this throws.
 * @param stop Nothing more is begun; what is on its way is waited for.
 * @throws why an event was refused, with its number, after everything on its way has its answer.
 */
export async function publishAll(client: EventRouterClient, events: AsyncIterable<EventInit>, counts: PublishedCounts, stop: AbortSignal, progressed: (count: number) => void): Promise<void> {
  const onWay: Promise<unknown>[] = [];
  const failures: unknown[] = [];
  let number = 0;
  let group: Promise<void>[] = [];
  let size = 0;
  const send = (event: EventInit): Promise<void> => {
    const mine = ++number;
    return client.publish(event).then(({ status }) => {
      if (status === "duplicate") counts.duplicates++;
      else counts.published++;
    }, (error: unknown) => void failures.push(numbered(error, mine, event)));
  };
  const leave = async (most: number): Promise<void> => {
    if (group.length > 0) onWay.push(Promise.all(group));
    progressed(group.length);
    group = [];
    size = 0;
    while (onWay.length > most) await onWay.shift();
  };
  try {
    for await (const event of events) {
      if (stop.aborted || failures.length > 0) break;
      group.push(send(event));
      size += JSON.stringify(event.payload)?.length ?? 0;
      if (group.length === GROUP.events || size >= GROUP.size) await leave(GROUPS - 1);
    }
  } finally {
    await leave(0);
  }
  if (failures.length > 0) throw failures[0];
  stop.throwIfAborted();
}

/** The same error, which says of which event it is. */
function numbered(error: unknown, number: number, { type, id }: EventInit): unknown {
  if (!(error instanceof EventRouterError)) return error;
  const Class = error.constructor as new (code: string, message: string, options: { retryable: boolean; cause: unknown }) => EventRouterError;
  return new Class(error.code, `event ${number} (${type}${id === undefined ? "" : `, ${id}`}): ${error.message}`, { retryable: error.retryable, cause: error });
}
