import type { RouterEvent } from "../../core/event.ts";
import type { Connection } from "../connection.ts";
import type { Later } from "../later.ts";
import type { BaseOptions } from "../options.ts";
import type { Requests } from "../requests.ts";
import type { Engine } from "./engine.ts";

/** What encryption needs of its client. */
export interface VaultHome {
  readonly connection: Connection;
  readonly requests: Pick<Later<Requests>, "use">;
  readonly options: Pick<BaseOptions, "namespace">;
  randomBytes(count: number): Uint8Array;
  report(error: unknown, event?: RouterEvent): void;
  /** In place of the one that is chosen, and of the limit of a content key: for tests. */
  readonly engine?: Engine;
  readonly mostMessages?: number;
}
