import { ValidationError } from "../core/errors.ts";
import type { PublishInit, TogetherOptions } from "./publisher.ts";
import type { AnyEvents, EventMap, InitOf, Said } from "./typed-events.ts";
import type { Receipt } from "./receipt.ts";

/** Gathers events; nothing is sent before the transaction's function has returned. */
export interface Transaction<Events extends EventMap = AnyEvents> {
  /** Resolves when the event is checked; it is stored with all others, or not at all. */
  publish<Type extends keyof Events & string>(type: Type, ...said: Said<Events, Type, Omit<PublishInit, "type" | "payload">>): Promise<void>;
  publish(event: InitOf<Events, PublishInit>): Promise<void>;
}

/** Who publishes what was gathered. */
interface Publishing<Encoded> {
  encodeTogether(event: PublishInit): Encoded | Promise<Encoded>;
  publishAll(events: readonly (Encoded | Promise<Encoded>)[], options?: TogetherOptions): Promise<Receipt[]>;
}

/** Runs the function and publishes what it gathered, whole; a throw publishes nothing and is rethrown. */
export async function transaction<Encoded>(publishing: Publishing<Encoded>, run: (tx: Transaction) => unknown, options?: TogetherOptions): Promise<Receipt[]> {
  const gathered: (Encoded | Promise<Encoded>)[] = [];
  let over = false;
  /** All or none: an event that is refused refuses the whole, whether or not the function looks. */
  const spoilt: unknown[] = [];
  const tx: Transaction = {
    publish(typeOrEvent: string | PublishInit, payload?: unknown, meta?: object) {
      const checked = gather(typeof typeOrEvent === "string" ? { ...meta, type: typeOrEvent, payload } : typeOrEvent);
      // Whoever does not wait for it is told by the transaction, which it has spoilt.
      if (!over) checked.catch(() => {});
      return checked;
    },
  };
  const gather = async (event: PublishInit): Promise<void> => {
    if (over) throw new ValidationError("ERR_TRANSACTION_OVER", "the transaction is over; await every tx.publish() before its function returns");
    try {
      const encoded = publishing.encodeTogether(event);
      gathered.push(encoded);
      await encoded;
    } catch (error) {
      spoilt.push(error);
      throw error;
    }
  };
  try {
    await run(tx);
  } finally {
    over = true;
  }
  if (spoilt.length > 0) throw spoilt[0];
  return publishing.publishAll(gathered, options);
}
