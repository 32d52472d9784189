import type { SavedTicket, TicketShelf } from "../core/tickets.ts";
import type { SqliteDatabase } from "../stores/sqlite-database.ts";

/** Tickets in an object's database, so that they are good also after it has slept: two rows written for each. */
export function ticketShelf(database: SqliteDatabase, now: () => number): TicketShelf {
  let made = false;
  return {
    keep(text, ticket) {
      if (!made) database.exec("CREATE TABLE IF NOT EXISTS er_tickets (text TEXT PRIMARY KEY, until INTEGER NOT NULL, saved TEXT NOT NULL) WITHOUT ROWID");
      made = true;
      database.prepare("DELETE FROM er_tickets WHERE until <= ?").run(now());
      database.prepare("INSERT INTO er_tickets (text, until, saved) VALUES (?, ?, ?)").run(text, ticket.until, JSON.stringify(ticket));
    },
    take(text) {
      // A stranger's guess makes an object store nothing.
      made ||= database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'er_tickets'").get() !== undefined;
      if (!made) return undefined;
      const row = database.prepare("SELECT saved FROM er_tickets WHERE text = ?").get(text) as { saved: string } | undefined;
      if (row === undefined) return undefined;
      database.prepare("DELETE FROM er_tickets WHERE text = ?").run(text);
      return JSON.parse(row.saved) as SavedTicket;
    },
  };
}
