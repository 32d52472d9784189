import { ValidationError } from "../core/errors.ts";
import type { PublishInit, Publisher, Encoded, WaitOptions } from "./publisher.ts";
import type { Receipt } from "./receipt.ts";

/** Gathers events; nothing is sent before the transaction's function has returned. */
export interface Transaction {
  /** Resolves when the event is checked; it is stored with all others, or not at all. */
  publish(event: PublishInit): Promise<void>;
  publish(type: string, payload?: unknown, meta?: Omit<PublishInit, "type" | "payload">): Promise<void>;
}

/** Runs the function and publishes what it gathered, whole; a throw publishes nothing and is rethrown. */
export async function transaction(publisher: Publisher, run: (tx: Transaction) => unknown, options?: WaitOptions): Promise<Receipt[]> {
  const gathered: (Encoded | Promise<Encoded>)[] = [];
  let over = false;
  const tx: Transaction = {
    async publish(typeOrEvent: string | PublishInit, payload?: unknown, meta?: object) {
      if (over) throw new ValidationError("ERR_TRANSACTION_OVER", "the transaction is over; await every tx.publish() before its function returns");
      const event: PublishInit = typeof typeOrEvent === "string" ? { ...meta, type: typeOrEvent, payload } : typeOrEvent;
      const encoded = publisher.encodeTogether(event);
      gathered.push(encoded);
      await encoded;
    },
  };
  try {
    await run(tx);
  } finally {
    over = true;
  }
  return publisher.publishAll(await Promise.all(gathered), options);
}
