import { ConflictError } from "./errors.ts";

/**
 * What joins the routers that share one log: which of them leads, and messages between them. A log that only one router can have open has none (`Log.peers`
 * is undefined), and its router leads by itself.
 *
 * All routers append to the log, hear its `watch` and serve plain subscriptions from it. What needs one mind for the namespace (groups, durable cursors,
 * requests, dead letters, delayed events, retention) is the **leader's** alone; the others hand such frames of their clients on to it. What is told here is
 * transport and a lease, without policy: who does what, links, their numbers and their signs of life are the core's (`leadership.ts`, `peer-links.ts`).
 *
 * **Fencing.** Whatever a leader writes carries the token of its lead: `Batch.lead`, `Log.trim(seq, lead)`, `Log.writeBookmarks(entries, lead)`. A store that
 * has `peers` compares it, in the same atomic step as the write, to the newest token that was ever given out in this epoch, and refuses an older one with
 * `leadLost()`: as the outcome `refused` of that batch (the other batches of the append stand), and as the rejection of a trim or of bookmarks, of which
 * nothing is kept. Equal is good, also when the lease is over or was given back, as long as nobody else was given a newer token. Without a token nothing is compared.
 *
 * **Epochs.** Token, holder and bookmarks belong to one epoch. A log that was lost or rewritten resolves `Log.lost`, refuses whatever is still asked of the old
 * object, and has peers of its own when it is opened again.
 *
 * **Time.** Leases are measured by the store alone (Redis: `TIME` in the script), so that routers' clocks do not matter. A leader counts its own from before it asked.
 *
 * **What each router sees.** `Log.head` is what this router's `watch` has reported, also of others' appends, and never more; an append resolves when its own events were
 * reported. `Log.first` and `extent` may be a second late about what another router trimmed; `read` gives what is there.
 *
 * `test/contract/peers` tells what holds.
 */
export interface Peers {
  /** This router, among those of this log: 1–64 characters of `A-Z a-z 0-9 _ -`, a new one each time the log is opened, so that a process that comes back is another. */
  readonly self: string;
  /**
   * ms between the signs of life that the core sends over each link between two routers, so that a lost message is found out though none comes behind it (Redis: 1,000).
   * 0: none are needed, and none are sent, because `gone` tells of each router and each message that was lost; for hosts that sleep.
   */
  readonly beat: number;
  /**
   * Takes the lead if nobody has it (never claimed, its lease over, given back), or keeps it for another `ms` if this router has it and its lease is not over; else only
   * tells who has it. One atomic step. Whoever takes it gets a token one above the newest ever given, also the one who had it last; who keeps it keeps its token.
   * Reads that begin after the answer see all that was written under older tokens.
   * A log whose leader is fixed answers with it, whoever asks.
   */
  claim(ms: number): Promise<Lead>;
  /** Gives the lead back, if this router has it under this token: the next `claim`, by whomever, takes it at once. Otherwise nothing. Bookmarks and trims that were asked for before are written before. */
  release(token: number): Promise<void>;
  /**
   * A message to one router, by its `self`, or with `ALL` to all others that have the log open now (never to this one). Best effort: it may be lost, if so silently (but see `beat`).
   * What one router sends to another arrives in order, at most once: the core numbers what must not be lost, and takes a hole for a broken link.
   * Up to 2 MiB of text, of any characters. Never throws and never waits; what cannot be sent, or what a peer does not take while much waits, is lost.
   */
  send(to: string, text: string): void;
  /** Hears what is sent to this router, from then on. Called once, before the first `claim`; returns how to stop. Nothing that the listener does throws. */
  listen(on: PeersListener): () => void;
}

/** In place of one router's name. */
export const ALL = "*";

export interface PeersListener {
  message(from: string, text: string): void;
  /** That router has gone, or a message from it or to it may have been lost: all links with it are broken. May come again, or for one that nobody knew. */
  gone(router: string): void;
}

/** Who leads, as a claim found or made it. */
export interface Lead {
  /** Its `Peers.self`. */
  readonly leader: string;
  /** From 1; one higher with each change. */
  readonly token: number;
  /** For how long still, by the store's clock; `Infinity` where the leader is fixed. */
  readonly ms: number;
  /** The log's last seq when this was decided: a leader works when its own `watch` has come so far, and not before. */
  readonly head: number;
}

/** What a store refuses a write with whose token is older than the newest. */
export function leadLost(): ConflictError {
  return new ConflictError("ERR_LEAD_LOST", "another router leads this namespace now; connect again", { retryable: true, details: { retryAfter: 0 } });
}

export function isLeadLost(error: unknown): error is ConflictError {
  return error instanceof ConflictError && error.code === "ERR_LEAD_LOST";
}
