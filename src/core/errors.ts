/** What every error of the family carries besides its message. */
export interface ErrorDetails {
  /** Whether the same call may succeed later without a change. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Facts for a program, JSON values only: `{ path }`, `{ actualVersion }`, `{ retryAfter }` (ms) … They cross the wire. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The base of all errors this package throws. `code` is stable; the message says what was being done and what to do next. */
export class EventRouterError extends Error {
  override readonly name: string = "EventRouterError";
  readonly code: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, { retryable = false, cause, details = {} }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}
/** The router cannot be reached, or the connection to it was lost for good. */
export class ConnectionError extends EventRouterError { override readonly name = "ConnectionError"; }
/** The router refused a publish, or there was no room to keep it. */
export class PublishError extends EventRouterError { override readonly name = "PublishError"; }
/** A subscription could not be made or was ended by the router. */
export class SubscriptionError extends EventRouterError { override readonly name = "SubscriptionError"; }
/** No answer in time. For a publish or a request this means *unknown*, not *failed*. */
export class TimeoutError extends EventRouterError { override readonly name = "TimeoutError"; }
/** The router does not accept who the client says it is. */
export class AuthenticationError extends EventRouterError { override readonly name = "AuthenticationError"; }
/** The principal may not do this. */
export class PermissionError extends EventRouterError { override readonly name = "PermissionError"; }
/** An argument, option, event, pattern or filter is malformed or over a limit; `details.path` names the place. */
export class ValidationError extends EventRouterError { override readonly name = "ValidationError"; }
/** Something else is already there: an event id with another body, a stream at another version. */
export class ConflictError extends EventRouterError { override readonly name = "ConflictError"; }
/** A payload cannot be encrypted or decrypted. */
export class EncryptionError extends EventRouterError { override readonly name = "EncryptionError"; }
/** Nobody answers requests of this type now. */
export class NoRespondersError extends EventRouterError { override readonly name = "NoRespondersError"; }
/** The responder's handler threw; `details.name` is the name of what it threw. Its stack never crosses the wire. */
export class RemoteError extends EventRouterError { override readonly name = "RemoteError"; }

const family = {
  EventRouterError, ConnectionError, PublishError, SubscriptionError, TimeoutError, AuthenticationError,
  PermissionError, ValidationError, ConflictError, EncryptionError, NoRespondersError, RemoteError,
};

/** An error as it travels: `[name, code, message, retryable, details]`. */
export type WireError = readonly [name: string, code: string, message: string, retryable: 0 | 1, details?: Readonly<Record<string, unknown>>];

/** Stack and cause stay at home: only what is meant for the other side is sent. */
export function toWire(error: EventRouterError): WireError {
  const head = [error.name, error.code, error.message, error.retryable ? 1 : 0] as const;
  return Object.keys(error.details).length === 0 ? head : [...head, error.details];
}

export function fromWire([name, code, message, retryable, details]: WireError): EventRouterError {
  const Class = Object.hasOwn(family, name) ? family[name as keyof typeof family] : EventRouterError;
  return new Class(code, message, { retryable: retryable === 1, ...(details && { details }) });
}

/** What was thrown, as one of the family: an unknown throw becomes `fallback` with the throw as its cause. */
export function asError(thrown: unknown, fallback: (cause: unknown) => EventRouterError): EventRouterError {
  return thrown instanceof EventRouterError ? thrown : fallback(thrown);
}
