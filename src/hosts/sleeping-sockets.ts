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

/** What stays with a socket while the object sleeps; `kept`: the session is in the database under this key, because it is too large. */
interface Attachment { readonly caller: Caller; readonly saved?: SavedSession; readonly kept?: string }

export interface SleepingSocketsOptions {
  readonly ctx: Pick<ObjectState, "acceptWebSocket" | "getWebSockets">;
  readonly router: Router;
  /** For sessions that do not fit into an attachment. */
  readonly database: SqliteDatabase;
  /** Something happened on a socket: `save` is wanted when it is over. */
  changed(): void;
}

/** The sockets of an object and the sessions on them. Whatever a session is, is written to its socket when a turn is over, so that the object may be put away at any time. */
export class SleepingSockets {
  readonly #options: SleepingSocketsOptions;
  readonly #connections = new Map<SleepingSocket, Connection>();
  readonly #dirty = new Set<Connection>();
  #hasTable = false;

  constructor(options: SleepingSocketsOptions) {
    this.#options = options;
  }

  get size(): number { return this.#connections.size; }

  /** Takes up the sessions of the sockets that stayed. */
  async wake(): Promise<void> {
    const sockets = this.#options.ctx.getWebSockets().filter(({ readyState }) => readyState === OPEN);
    const sleepers = sockets.map((socket) => {
      const { caller, saved, kept } = attachmentOf(socket);
      const port = new Connection(socket, caller, kept, this.#touch);
      return { port, caller, saved: kept === undefined ? saved ?? { state: "lost" as const } : this.#kept(kept) };
    });
    const sessions = await this.#options.router.resume(sleepers);
    sleepers.forEach(({ port }, i) => {
      port.session = sessions[i]!;
      this.#connections.set(port.socket, port);
    });
  }

  accept(socket: SleepingSocket, caller: Caller): void {
    const connection = new Connection(socket, caller, undefined, this.#touch);
    this.#options.ctx.acceptWebSocket(socket);
    connection.session = this.#options.router.connect(connection, caller);
    this.#connections.set(socket, connection);
    this.#touch(connection);
  }

  message(socket: SleepingSocket, message: string | ArrayBuffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
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

  /** Writes down what has changed. @param any also if nothing has: that the log goes on must be known, by one of them at least */
  save(any: boolean): void {
    if (any && this.#dirty.size === 0) for (const connection of this.#connections.values()) if (connection.session.opened !== undefined) {
      this.#dirty.add(connection);
      break;
    }
    for (const connection of this.#dirty) this.#save(connection);
    this.#dirty.clear();
  }

  #save(connection: Connection): void {
    const { socket, caller, session, kept } = connection;
    if (session.state === "closed" || socket.readyState !== OPEN) return;
    const saved = session.save();
    const text = JSON.stringify({ caller, saved } satisfies Attachment);
    if (bytesOf(text) <= ATTACHMENT) {
      socket.serializeAttachment(text);
      if (kept !== undefined) this.#forget(kept);
      connection.kept = undefined;
    } else {
      connection.kept = saved.state === "open" ? saved.id : kept;
      this.#table().prepare("INSERT OR REPLACE INTO er_sleepers (id, saved) VALUES (?, ?)").run(connection.kept!, JSON.stringify(saved));
      if (kept === undefined) socket.serializeAttachment(JSON.stringify({ caller, kept: connection.kept! } satisfies Attachment));
    }
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
  session!: Session;
  readonly #touched: (connection: Connection) => void;

  constructor(socket: SleepingSocket, caller: Caller, kept: string | undefined, touched: (connection: Connection) => void) {
    this.socket = socket;
    this.caller = caller;
    this.kept = kept;
    this.#touched = touched;
  }

  send(messages: readonly Outgoing[]): void {
    // One that has gone is told by the platform, soon.
    if (this.socket.readyState !== OPEN) return;
    for (const { text } of messages) this.socket.send(text);
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
