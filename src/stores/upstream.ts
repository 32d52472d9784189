import type { Durability } from "../core/frames.ts";
import type { Peers } from "../core/peers.ts";
import type { Store } from "../core/store.ts";
import { followedLog, type FollowedLog } from "./followed-log.ts";
import type { LogHome, Standing } from "./log-home.ts";

export interface UpstreamStoreOptions {
  /** What the home's store promises. */
  readonly durability: Durability;
  /** The home of a namespace's log. */
  home(namespace: string): LogHome;
  /** What joins those that follow a namespace's log; asked for when it was opened. */
  peers?(namespace: string): Peers;
  /** Where the copy of a namespace stands already: then its home need not be asked. */
  standing?(namespace: string): Standing | undefined;
  /** ms before what failed is tried again. */
  pause(ms: number): Promise<void>;
  /** What a watching listener throws, and failures to reach the home. */
  onError?(error: unknown): void;
}

/** A store whose logs are kept elsewhere: the same epochs and seqs as there. */
export interface UpstreamStore extends Store {
  open(namespace: string): Promise<FollowedLog>;
}

/** Routers on such stores spread the readers of one log; see `followedLog`. */
export function upstreamStore({ durability, home: homeOf, standing: standingOf = () => undefined, peers, pause, onError }: UpstreamStoreOptions): UpstreamStore {
  const logs = new Map<string, Promise<FollowedLog>>();

  async function follow(namespace: string): Promise<FollowedLog> {
    const home = homeOf(namespace);
    const log = followedLog({ home, standing: standingOf(namespace) ?? await home.standing(), peers: peers?.(namespace), pause, onError });
    void log.lost.then(() => logs.delete(namespace));
    return log;
  }

  return {
    durability,
    open(namespace) {
      let opening = logs.get(namespace);
      if (opening === undefined) {
        logs.set(namespace, (opening = follow(namespace)));
        // A home that cannot be reached now may be later.
        opening.catch(() => logs.delete(namespace));
      }
      return opening;
    },
    async close() { logs.clear(); },
  };
}
