import type { RouterEvent } from "../../core/event.ts";
import type { SubscribeSpec } from "../../core/frames.ts";
import type { EventText } from "../encode-event.ts";
import type { Feed } from "../feed.ts";
import type { Receipt } from "../receipt.ts";

/** What waits to be sent, as far as encryption looks at it. */
export interface Outgoing {
  readonly settled: boolean;
  /** Whether its lines are made, or under way; a line is sent again as it is (P4). */
  sealed?: boolean;
  readonly events: readonly { readonly id: string; readonly type: string; readonly text: EventText; line: string; /** Not the caller's. */ readonly own: boolean }[];
  readonly resolve: ((receipts: Receipt[]) => void) | undefined;
  reject(error: unknown): void;
}

/** What the parts of a client ask of encryption. Its code is loaded by clients that encrypt, before their first hello. */
export interface Vault {
  /**
   * Makes the lines of what leaves anew; says whether they are there. If not, `done` is called when they are, or with why they cannot be. Whoever keeps
   * what waits elsewhere than in memory keeps it sealed (I17).
   */
  seal(one: Outgoing, done: (error?: unknown) => void): boolean;
  /** @param payload JSON @returns JSON @throws EncryptionError */
  sealRequest(type: string, id: string, payload: string): Promise<string>;
  /** @param payload JSON, of a failure a `WireError` */
  sealAnswer(request: RouterEvent, kind: "answer" | "failure", payload: string): Promise<string>;
  /** Puts the payload of a request in place; resolves with whether its answer is a secret: it came encrypted, or its type asks for it. @throws EncryptionError */
  openRequest(request: RouterEvent): Promise<boolean>;
  /** Puts the payload of an answer in place. @throws EncryptionError, or what the responder threw */
  openAnswer(answer: RouterEvent, type: string, id: string): Promise<void>;
  /** Puts the payload of an event in place. @throws EncryptionError */
  openEvent(event: RouterEvent): Promise<void>;
  /** Why a handler failed may quote the payload, so it is as secret; the text as it was for an event that was not encrypted. */
  sealReason(event: RouterEvent, reason: string): Promise<string>;
  /** Undoes it. @throws EncryptionError */
  openReason(event: Pick<RouterEvent, "id" | "type">, reason: string): Promise<string>;
  /** Loads what `guard` needs for feeds with a filter, which router and client answer together. */
  prepareFilters(): Promise<void>;
  /** Sets a feed's gate; what it returns is what to ask the router for. */
  guard(feed: Feed): SubscribeSpec;
}
