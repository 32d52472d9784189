import { PermissionError, ValidationError } from "../errors.ts";
import type { Membership } from "../membership.ts";
import type { Namespace } from "../namespace.ts";
import type { Duty, Principal } from "../policy.ts";
import type { Reader } from "../reader.ts";

/** Who calls. */
export interface Caller {
  readonly namespace: Namespace;
  readonly principal: Principal;
  readonly reader: Reader;
  readonly memberships: ReadonlyMap<number, Membership>;
  /** A call counts. @throws `ERR_RATE_LIMIT` if it is one too many. */
  spend(): void;
  /** A stand-in for its credential. @throws PermissionError */
  ticket(): Promise<string>;
}

/** A question to the router, answered as JSON text. */
export type Call = (caller: Caller, params: Readonly<Record<string, unknown>>) => string | Promise<string>;

/** What an answer holds at most. */
export const MOST_EVENTS = 1_000;
export const MOST_SIZE = 768 * 1024;

/** @throws PermissionError if the caller lacks the duty. */
export function demand({ rights }: Principal, duty: Duty): void {
  if (!rights.has(duty)) throw new PermissionError("ERR_PERMISSION", `not allowed; the credential needs "${duty}"`, { details: { permission: duty } });
}

export function whole(params: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new ValidationError("ERR_PARAMETER", `${name} must be a whole number, 0 or more`, { details: { path: name } });
  return value as number;
}
