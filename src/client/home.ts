import type { ClientOutbox } from "./client-outbox.ts";
import type { Connection } from "./connection.ts";
import type { Tools } from "./failure-options.ts";
import type { BaseOptions, Settings } from "./options.ts";
import type { Publisher } from "./publisher.ts";

/** What a client lends to its parts that are loaded later. */
export interface Home extends Tools {
  readonly options: BaseOptions<never>;
  readonly settings: Settings;
  readonly connection: Connection;
  readonly publisher: Publisher;
  /** Those that publish, each over a connection of its own: the first, and more as a pool asks for. */
  readonly lanes: Publisher[];
  makeLane(): Publisher;
  randomBytes(count: number): Uint8Array;
  /** @throws ValidationError without the option `offline`. */
  readonly outbox: ClientOutbox;
}
