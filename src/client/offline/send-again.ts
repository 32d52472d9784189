import { asError, ConflictError, PublishError, type EventRouterError } from "../../core/errors.ts";
import type { Receipt } from "../receipt.ts";
import type { DeadLetter, DeadLetters } from "./dead-letters.ts";
import type { Entry } from "./entry.ts";

export interface SendAgainOptions {
  readonly dead: DeadLetters;
  send(entry: Entry): Promise<Receipt[]>;
  /** Whether a refusal can be the router's word. */
  connected(): boolean;
}

/** Sends dead letters once more: what the router takes now is forgotten, what it refuses stays with the new error. @throws the first refusal */
export async function sendAgain(letters: readonly DeadLetter[], { dead, send, connected }: SendAgainOptions): Promise<void> {
  await Promise.all(letters.map(async (letter) => {
    try {
      const receipts = await send(letter.entry);
      // It was refused for good, so it cannot be there unless an answer was lost.
      if (receipts.some(({ seq }) => seq === null)) throw new ConflictError("ERR_RETRY_UNKNOWN", "the router cannot tell whether this event is there already; look for it, then drop it, or publish it under another id");
      await dead.forget([letter]);
    } catch (thrown) {
      const error: EventRouterError = asError(thrown, (cause) => new PublishError("ERR_SEND", "sending failed", { cause }));
      if (!error.retryable && connected()) await dead.bury(letter.entry, error);
      throw error;
    }
  }));
}
