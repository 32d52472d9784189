import { TimeoutError } from "../core/errors.ts";
import { malformed } from "../core/frame-reader.ts";
import type { Outgoing, Port } from "../core/link.ts";
import type { Caller } from "../core/policy.ts";
import type { Router } from "../core/router.ts";
import type { SavedSession } from "../core/saved-session.ts";
import type { Session } from "../core/session.ts";
import type { SqliteDatabase } from "../stores/sqlite-database.ts";
import type { ObjectState, SleepingSocket } from "./durable-object.ts";

/** Bytes that an attachment may have, with a little room for its envelope. */
const ATTACHMENT = 16 * 1024 - 64;
const OPEN = 1;
/** Sockets that take the host's note in a turn: one is enough, unless it closes while the object sleeps. */
const CARRIERS = 3;

/** What stays with a socket while the object sleeps; `kept`: the session is in the database under this key, because it is too large. */
interface Attachment {
  readonly caller: Caller;
  readonly saved?: SavedSession;
  readonly kept?: string;
  /** When something last came or went on it, ms since 1970. */
  readonly at?: number;
  /** The host's own, as of then, as JSON. */
  readonly note?: string;
}

export interface SleepingSocketsOptions {
  readonly ctx: Pick<ObjectState, "acceptWebSocket" | "getWebSockets" | "getWebSocketAutoResponseTimestamp">;
  readonly router: Router;
  /** For sessions that do not fit into an attachment. */
  readonly database: SqliteDatabase;
  now(): number;
  /** ms of silence on both sides after which a peer is taken for gone: clients give a sign of life before. */
  readonly silence: number;
  /** What the host wants to know again after a sleep: JSON, a few hundred bytes. A socket carries it, at no cost. */
  note(): unknown;
  /** Something happened on a socket: `save` is wanted when it is over. */
  changed(): void;
}

/** The sockets of an object and the sessions on them. Whatever a session is, is written to its socket when a turn is over, so that the object may be put away at any time. */
export class SleepingSockets {
  readonly #options: SleepingSocketsOptions;
  readonly #connections = new Map<SleepingSocket, Connection>();
  readonly #dirty = new Set<Connection>();
  #hasTable = false;
  #sweptAt = 0;

  constructor(options: SleepingSocketsOptions) {
    this.#options = options;
  }

  get size(): number { return this.#connections.size; }

  /** The host's notes, as the sockets that stayed carried them. */
  notes(): unknown[] {
    return this.#stayed().flatMap((socket) => {
      const { note } = attachmentOf(socket);
      return note === undefined ? [] : [JSON.parse(note) as unknown];
    });
  }

  /** Takes up the sessions of the sockets that stayed. */
  async wake(): Promise<void> {
    const now = this.#options.now();
    const sleepers = this.#stayed().map((socket) => {
      const { caller, saved, kept, at = now } = attachmentOf(socket);
      const port = new Connection(socket, caller, kept, at, this.#touch);
      return { port, caller, saved: kept === undefined ? saved ?? { state: "lost" as const } : this.#kept(kept) };
    });
    const sessions = await this.#options.router.resume(sleepers);
    sleepers.forEach(({ port }, i) => {
      port.session = sessions[i]!;
      this.#connections.set(port.socket, port);
    });
  }

  #stayed(): SleepingSocket[] {
    return this.#options.ctx.getWebSockets().filter(({ readyState }) => readyState === OPEN);
  }

  accept(socket: SleepingSocket, caller: Caller): void {
    const connection = new Connection(socket, caller, undefined, this.#options.now(), this.#touch);
    this.#options.ctx.acceptWebSocket(socket);
    connection.session = this.#options.router.connect(connection, caller);
    this.#connections.set(socket, connection);
    this.#touch(connection);
  }

  message(socket: SleepingSocket, message: string | ArrayBuffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.at = this.#options.now();
    const { session } = connection;
    if (typeof message !== "string") session.end(malformed("messages are text, this one is binary"));
    else session.receive(message, sizeOf(message, this.#options.router.limits.helloSize / 3));
    this.#touch(connection);
  }

  gone(socket: SleepingSocket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#connections.delete(socket);
    this.#dirty.delete(connection);
    if (connection.kept !== undefined) this.#forget(connection.kept);
    connection.session.disconnected();
    this.#options.changed();
  }

  /**
   * Writes down what has changed. @param any also if nothing has: then one of them at least takes the note, and how far the log goes
   * @returns whether one has taken it
   */
  save(any: boolean): boolean {
    if (any && ![...this.#dirty].some(({ session }) => session.opened !== undefined)) for (const connection of this.#connections.values()) if (connection.session.opened !== undefined) {
      this.#dirty.add(connection);
      break;
    }
    let carriers = 0;
    const note = JSON.stringify(this.#options.note());
    for (const connection of this.#dirty) if (this.#save(connection, carriers < CARRIERS ? note : undefined)) carriers++;
    this.#dirty.clear();
    return carriers > 0;
  }

  /** Ends the sessions of peers that are gone without a word; looked at when the object is awake anyway, and not too often. */
  sweep(): void {
    const { now, silence, ctx } = this.#options;
    const time = now();
    if (silence === 0 || time - this.#sweptAt < silence / 3) return;
    this.#sweptAt = time;
    for (const { socket, session, at } of this.#connections.values()) {
      const pinged = ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
      if (time - Math.max(at, pinged) <= silence) continue;
      session.end(new TimeoutError("ERR_SILENT", `no sign of life for ${silence} ms; connect again, and send "ping" when nothing has come for as long as the welcome says`, { retryable: true }));
      this.gone(socket);
    }
  }

  #save(connection: Connection, note: string | undefined): boolean {
    const { socket, caller, session, kept, at } = connection;
    if (session.state === "closed" || socket.readyState !== OPEN) return false;
    const saved = session.save();
    const rest = { caller, at, ...(note !== undefined && { note }) };
    const text = JSON.stringify({ saved, ...rest } satisfies Attachment);
    if (bytesOf(text) <= ATTACHMENT) {
      socket.serializeAttachment(text);
      if (kept !== undefined) this.#forget(kept);
      connection.kept = undefined;
    } else {
      connection.kept = saved.state === "open" ? saved.id : kept;
      this.#table().prepare("INSERT OR REPLACE INTO er_sleepers (id, saved) VALUES (?, ?)").run(connection.kept!, JSON.stringify(saved));
      socket.serializeAttachment(JSON.stringify({ kept: connection.kept!, ...rest } satisfies Attachment));
    }
    return true;
  }

  #kept(id: string): SavedSession {
    const row = this.#table().prepare("SELECT saved FROM er_sleepers WHERE id = ?").get(id) as { saved: string } | undefined;
    return row === undefined ? { state: "lost" } : (JSON.parse(row.saved) as SavedSession);
  }

  #forget(id: string): void {
    this.#table().prepare("DELETE FROM er_sleepers WHERE id = ?").run(id);
  }

  #table(): SqliteDatabase {
    const { database } = this.#options;
    if (!this.#hasTable) database.exec("CREATE TABLE IF NOT EXISTS er_sleepers (id TEXT PRIMARY KEY, saved TEXT NOT NULL) WITHOUT ROWID");
    this.#hasTable = true;
    return database;
  }

  readonly #touch = (connection: Connection): void => {
    this.#dirty.add(connection);
    this.#options.changed();
  };
}

/** One socket as the router sees it. */
class Connection implements Port {
  readonly socket: SleepingSocket;
  readonly caller: Caller;
  /** The key of its session in the database, if it is there. */
  kept: string | undefined;
  /** When something last came or went. */
  at: number;
  session!: Session;
  readonly #touched: (connection: Connection) => void;

  constructor(socket: SleepingSocket, caller: Caller, kept: string | undefined, at: number, touched: (connection: Connection) => void) {
    this.socket = socket;
    this.caller = caller;
    this.kept = kept;
    this.at = at;
    this.#touched = touched;
  }

  send(messages: readonly Outgoing[]): void {
    // One that has gone is told by the platform, soon.
    if (this.socket.readyState !== OPEN) return;
    for (const { text } of messages) this.socket.send(text);
    this.at = Date.now();
    this.#touched(this);
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
    this.#touched(this);
  }
}

function attachmentOf(socket: SleepingSocket): Attachment {
  const text = socket.deserializeAttachment();
  return typeof text === "string" ? (JSON.parse(text) as Attachment) : { caller: {} };
}

/** Bytes of a text, counted only if it could be too large for someone: a UTF-16 unit is at most three. */
function sizeOf(text: string, harmless: number): number {
  return text.length <= harmless ? text.length : new TextEncoder().encode(text).length;
}

/** As the platform writes a text: a byte a character, or two of each if one does not fit into a byte. */
function bytesOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- Latin-1 as a whole
  return /^[\u0000-\u00ff]*$/.test(text) ? text.length : 2 * text.length;
}
