import type { Neighbour } from "./relays/between.ts";

/**
 * The little that is used of Cloudflare's platform, as structures: users have the real types from their own tools, and this package takes no side.
 * https://developers.cloudflare.com/durable-objects/api/
 */

/** A WebSocket that stays while its object hibernates. */
export interface SleepingSocket {
  readonly readyState: number;
  send(message: string): void;
  close(code?: number, reason?: string): void;
  /** Kept while the object hibernates; at most 16 KiB. */
  serializeAttachment(attachment: unknown): void;
  deserializeAttachment(): unknown;
}

/** The result of a statement. Rows are billed; they are counted when all were read. */
export interface SqlCursor {
  toArray(): Record<string, unknown>[];
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

export interface ObjectStorage {
  readonly sql: { exec(query: string, ...bindings: unknown[]): SqlCursor };
  transactionSync<T>(work: () => T): T;
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
}

export interface ObjectState {
  readonly id: { readonly name?: string };
  readonly storage: ObjectStorage;
  acceptWebSocket(socket: SleepingSocket): void;
  getWebSockets(): SleepingSocket[];
  setWebSocketAutoResponse(pair?: unknown): void;
  /** When the platform last answered a heartbeat on it for the object. */
  getWebSocketAutoResponseTimestamp(socket: SleepingSocket): Date | null;
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>;
}

/** A Durable Object as others reach it. */
export interface ObjectStub extends Neighbour { fetch(request: Request): Promise<Response> }

/** A binding of Durable Objects. */
export interface ObjectNamespace {
  idFromName(name: string): unknown;
  get(id: never): ObjectStub;
}

/** What only workers have in their global scope. */
interface WorkerScope {
  readonly WebSocketPair: new () => { readonly 0: WebSocket; readonly 1: SleepingSocket };
  readonly WebSocketRequestResponsePair: new (request: string, response: string) => unknown;
}

export const workerScope = (): WorkerScope => globalThis as unknown as WorkerScope;
