import { ConflictError } from "../../core/errors.ts";
import type { RouterEvent } from "../../core/event.ts";
import { equal } from "../../core/filter/literal.ts";
import { decodeLine, timestamps, type EventLine, type LineMeta } from "../../core/line.ts";
import { receiptOf, type Receipt } from "../receipt.ts";
import type { VaultHome } from "./vault-home.ts";
import type { Outgoing } from "./vault.ts";

interface Page { readonly epoch: string; readonly events: readonly EventLine[] }

/**
 * Whether a publish that the router refused, because other events have its ids, only repeats them (P4): the same payload is never encrypted to the same
 * text twice, so this is for those to tell who can read both.
 * @returns the receipts of the events that are there; undefined if they are others, or cannot be read
 */
export async function repeatOf({ events }: Outgoing, error: unknown, { connection, requests }: VaultHome, open: (event: RouterEvent) => Promise<void>): Promise<Receipt[] | undefined> {
  if (!(error instanceof ConflictError) || error.code !== "ERR_ID_CONFLICT" || typeof error.details.seq !== "number") return undefined;
  const [only] = events;
  // It waits for its time, in a record of the router's that only managers may read: the id is all there is to go by.
  if (only !== undefined && error.details.id === `delayed:${only.id}`) return [receiptOf({ ...only, own: false }, [null], new Date(connection.clock.now()).toISOString(), true, connection.welcome!)];
  // Events that were published together have consecutive seqs.
  const first = error.details.seq - events.findIndex(({ id }) => id === error.details.id);
  const page = await requests.use((all) => all.ask("the events of these ids", (req) => JSON.stringify(["call", req, "read", { after: first - 1, limit: events.length }]), {})) as Page;
  if (page.events.length !== events.length) return undefined;
  const timestamp = timestamps();
  const receipts: Receipt[] = [];
  for (const [i, { id, type, text }] of events.entries()) {
    const line = page.events[i]!;
    const stored = decodeLine(line, page.epoch, timestamp);
    await open(stored);
    const meta = text.tail === "]" ? {} : JSON.parse(text.tail.slice(1, -1)) as LineMeta;
    if (stored.id !== id || stored.type !== type || stored.seq !== first + i || !equal(stored.payload, JSON.parse(text.payload)) || !isSameMeta(line[6], meta)) return undefined;
    receipts.push(receiptOf({ id, type, own: false }, [stored.seq], stored.timestamp, false, connection.welcome!, stored.version));
  }
  return receipts;
}

/** As stores compare them: whoever publishes it may be called otherwise by now. */
function isSameMeta(a: LineMeta = {}, b: LineMeta): boolean {
  return equal({ priority: 5, ...a, source: 0 }, { priority: 5, ...b, source: 0 });
}
