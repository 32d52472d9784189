import { checkOptions, wholeNumber } from "../client/check-options.ts";
import type { Client } from "../client/client.ts";
import type { WaitOptions } from "../client/wait.ts";
import { EventRouterError, fromWire, type WireError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { milliseconds, type Duration } from "../core/duration.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";

/** The figures of a namespace; those that count do so since the router's start. */
export interface RouterStats {
  readonly epoch: string;
  /** Last seq, and the first that is still there. */
  readonly head: number;
  readonly first: number;
  /** Events in the log, and their size (UTF-16 units of their text). */
  readonly totalEvents: number;
  readonly totalSize: number;
  readonly eventsPublished: number;
  readonly eventsDelivered: number;
  readonly eventsRedelivered: number;
  readonly eventsRefused: number;
  readonly eventsPerSecond: number;
  /** Dead letters that are open, and events that became one. */
  readonly deadLetters: number;
  readonly eventsDead: number;
  /** Events that are held back. */
  readonly delayedEvents: number;
  readonly activeSubscriptions: number;
  readonly connections: number;
  /** Events that wait to be stored or delivered. */
  readonly queueDepth: number;
  readonly openRequests: number;
  readonly lateAnswers: number;
  readonly lateAcks: number;
  /** Of publishes, 0 to 1. */
  readonly errorRate: number;
  /** ms */
  readonly uptime: number;
}

/** A reader: a live subscription, a member of a group, or a durable name or group that nobody reads now. */
export interface SubscriptionInfo {
  readonly id: string;
  readonly topics: readonly string[];
  /** The session's; absent if nobody reads. */
  readonly clientId?: string;
  readonly name?: string;
  readonly subject?: string;
  readonly durable?: string;
  readonly group?: string;
  /** Events of the log between it and the head, of a group for all its members. */
  readonly lag: number;
  readonly inFlight: number;
  /** Of a group with members, for all of them, since the router's start: events acknowledged, given again, and given up. */
  readonly acked?: number;
  readonly redelivered?: number;
  readonly dead?: number;
}

export interface Health {
  readonly isHealthy: boolean;
  /** What is wrong, in words. */
  readonly issues: readonly string[];
  readonly checks: Readonly<Record<string, string>>;
}

/** An event that failed for good, with why. */
export type DeadLetter<P = unknown> = RouterEvent<P> & {
  readonly deadLetterId: string;
  /** The message of the last failure. */
  readonly lastError: string;
  readonly lastErrorName: string;
  readonly attempts: number;
  /** RFC 3339 */
  readonly failedAt: string;
  /** `group:NAME`, `durable:NAME`, or `client:CLIENT:TOPICS`. */
  readonly subscription: string;
  /** It is being tried again now. */
  readonly retrying: boolean;
};

export interface DeadLetterQuery extends WaitOptions {
  readonly subscription?: string;
  /** Default 1,000. */
  readonly limit?: number;
}

/** Which dead letters: by the ids of their events or their own, or all (of a subscription). */
export type DeadLetterChoice = WaitOptions & ({ readonly eventIds: readonly string[] } | { readonly all: true; readonly subscription?: string });

interface Letter {
  readonly id: string;
  readonly subscription: string;
  readonly attempts: number;
  readonly error: { readonly name: string; readonly message: string };
  readonly failedAt: number;
  readonly retrying: boolean;
  readonly event: EventLine;
}

/**
 * Looks after a router: what it does, who reads, what failed. Its client needs the right `manage`.
 * @example
 * const manager = new ManagementAgent(client);
 * const dlq = await manager.getDeadLetterQueue();
 * await manager.retryFailedEvents({ eventIds: dlq.map(({ id }) => id) });
 */
export class ManagementAgent {
  readonly #client: Client;
  readonly #timestamp = timestamps();

  constructor(client: Client) {
    this.#client = client;
  }

  async getStats(options?: WaitOptions): Promise<RouterStats> {
    return await this.#client.call("stats", {}, options) as RouterStats;
  }

  async listSubscriptions(options?: WaitOptions): Promise<SubscriptionInfo[]> {
    return await this.#client.call("subscriptions", {}, options) as SubscriptionInfo[];
  }

  /** A router that cannot be asked is not healthy: that is an answer, not a throw. @throws PermissionError */
  async healthCheck(options?: WaitOptions): Promise<Health> {
    try {
      const { healthy, ...rest } = await this.#client.call("health", {}, options) as Omit<Health, "isHealthy"> & { readonly healthy: boolean };
      return { isHealthy: healthy, ...rest };
    } catch (error) {
      if (!(error instanceof EventRouterError) || !error.retryable) throw error;
      return { isHealthy: false, issues: [error.message], checks: { connection: "failing" } };
    }
  }

  /** Oldest first. Payloads and reasons that this client can decrypt are in the clear, others stay as they are. */
  async getDeadLetterQueue({ subscription, limit, ...wait }: DeadLetterQuery = {}): Promise<DeadLetter[]> {
    const most = wholeNumber(limit, "limit", 1_000);
    const letters: DeadLetter[] = [];
    let after: string | null | undefined;
    do {
      const page = await this.#client.call("dead.list", { subscription, after, limit: Math.min(most - letters.length, 1_000) }, wait) as { readonly epoch: string; readonly letters: readonly Letter[]; readonly next: string | null };
      for (const letter of page.letters) letters.push(await this.#open(letter, page.epoch));
      after = page.next;
    } while (after !== null && letters.length < most);
    return letters;
  }

  /**
   * Gives dead letters to the subscriptions that failed, and to no other; each stays one until it is handled. Returns those that are on their way, and
   * why others are not: a subscription that is not there, mostly.
   */
  async retryFailedEvents(choice: DeadLetterChoice): Promise<{ readonly retrying: readonly string[]; readonly failed: readonly { readonly id: string; readonly error: EventRouterError }[] }> {
    const { retrying, failed } = await this.#client.call("dead.retry", ...chosen(choice)) as { retrying: string[]; failed: [string, WireError][] };
    return { retrying, failed: failed.map(([id, error]) => ({ id, error: fromWire(error) })) };
  }

  /** Gives dead letters up for good. Returns the ids of those that were there. */
  async discardFailedEvents(choice: DeadLetterChoice): Promise<readonly string[]> {
    return (await this.#client.call("dead.discard", ...chosen(choice)) as { discarded: string[] }).discarded;
  }

  /** Removes events that are older than that, or a seq and all before it; readers that had not had them are told by a gap. `dryRun` only counts. */
  async purge({ olderThan, upTo, dryRun = false, ...wait }: WaitOptions & { readonly olderThan?: Duration | Date; readonly upTo?: number; readonly dryRun?: boolean }): Promise<{ readonly events: number; readonly upTo: number }> {
    const before = olderThan === undefined ? undefined : olderThan instanceof Date ? olderThan.getTime() : this.#client.engine.clock.now() - milliseconds(olderThan, "olderThan");
    return await this.#client.call("purge", { before, upTo, dryRun }, wait) as { events: number; upTo: number };
  }

  /** Forgets the place of a durable name or a group that nobody reads now. Returns whether it was there. */
  async forget({ durable, group, ...wait }: WaitOptions & { readonly durable?: string; readonly group?: string }): Promise<boolean> {
    return await this.#client.call("forget", { durable, group }, wait) as boolean;
  }

  async #open({ id: deadLetterId, event: line, error, failedAt, ...rest }: Letter, epoch: string): Promise<DeadLetter> {
    const event = decodeLine(line, epoch, this.#timestamp);
    const vault = await this.#client.engine.vault();
    const { message } = error;
    const lastError = await vault?.openReason(event, message).catch(() => message) ?? message;
    await vault?.openEvent(event).catch(() => {});
    return { ...event, deadLetterId, lastError, lastErrorName: error.name, failedAt: new Date(failedAt).toISOString(), ...rest };
  }
}

function chosen(choice: DeadLetterChoice): [params: Readonly<Record<string, unknown>>, wait: WaitOptions] {
  checkOptions(choice, "eventIds all subscription timeout signal", "dead letters");
  const { timeout, signal, ...which } = choice;
  return ["eventIds" in which ? { ids: which.eventIds } : which, { timeout, signal }];
}
