import type { WireError } from "../core/errors.ts";
import type { Welcome } from "../core/frames.ts";
import type { Outgoing } from "../core/link.ts";

/** A tab's session, as a trunk sees it. */
export interface Tab {
  /** The router above has answered. */
  welcome(welcome: Welcome): void;
  /** Queues a frame for the tab. */
  tell(frame: string): void;
  /** Queues events that other tabs get as well. What is not stored is for who keeps up. */
  deliver(frame: Outgoing, stored: boolean): void;
  /** A subscription or responder with this number of the tab's has ended. */
  forget(local: number): void;
  /** The question with this number of the tab's was answered. */
  answered(local: number): void;
  /** Ends it: the last thing the tab hears. */
  end(error: WireError): void;
}
