import type { Client, PublishOptions } from "../client/client.ts";
import { milliseconds, type Duration } from "../core/duration.ts";
import { ConnectionError, TimeoutError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";

export interface PublishAndWaitOptions extends Omit<PublishOptions, "timeout"> {
  /** Types, or patterns, of the events that answer. */
  readonly waitFor: string | readonly string[];
  /** Default 30 s, from the publish's receipt on. */
  readonly timeout?: Duration;
}

/** Publishes, and resolves with the event that carries the same correlation id; subscribes first, so no answer is too fast. @throws TimeoutError */
export async function publishAndWait<P = unknown>(client: Client, type: string, payload: unknown, { waitFor, timeout = 30_000, ...options }: PublishAndWaitOptions): Promise<RouterEvent<P>> {
  const { clock, nextId } = client.engine;
  const { correlationId = nextId(), signal } = options;
  const wait = milliseconds(timeout, "timeout");
  const answers = await client.subscribe(waitFor, { filter: { correlationId }, ...(signal && { signal }) });
  // Ends with the signal, and with the client.
  const first = answers[Symbol.asyncIterator]().next();
  let cancel = (): void => {};
  try {
    await client.publish(type, payload, { ...options, correlationId });
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(wait, () => reject(new TimeoutError("ERR_TIMEOUT", `no ${String(waitFor)} with the correlation id of "${type}" came within ${wait} ms; does who handles it reply with that correlation id?`, { retryable: true, details: { correlationId } })));
    });
    const { done, value } = await Promise.race([first, late]);
    if (done === true) throw new ConnectionError("ERR_CLOSED", `the client was closed while it waited for ${String(waitFor)}; make a new one`);
    return value as RouterEvent<P>;
  } finally {
    cancel();
    first.catch(() => {});
    await answers.unsubscribe();
  }
}
