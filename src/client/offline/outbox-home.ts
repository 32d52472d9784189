import type { Store } from "../../core/store.ts";
import type { Tabs } from "./leadership.ts";

/** Where an outbox is at home. */
export interface OutboxHome {
  readonly store: Store;
  readonly name: string;
  /** Where several tabs share it. */
  readonly tabs: Tabs | undefined;
  /** Calls back when there may be a connection again, or this tab is looked at again. Returns how to stop. */
  hints?(hinted: () => void): () => void;
  /** Closes what was opened for it. */
  close(): Promise<void>;
}
