import { ValidationError } from "../core/errors.ts";
import { assertPattern, containsPattern, isReserved, matchesPattern } from "../core/pattern.ts";
import type { Action, Rights } from "../core/policy.ts";
import { overlapsPattern } from "./overlaps-pattern.ts";

const ACTIONS: readonly Action[] = ["publish", "subscribe", "request", "respond"];
const MOST = 200;

/** The rights that are in use, by what they were made of; those that nobody holds any more go by themselves. */
export class RightsPool {
  readonly #known = new Map<string, WeakRef<Rights>>();
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key);
  });

  /**
   * The rights of a list of permissions; the same object for equal lists, however they are ordered.
   * @throws ValidationError `ERR_PERMISSIONS` naming the first that is malformed.
   */
  of(permissions: readonly string[]): Rights {
    const key = JSON.stringify([...new Set(permissions)].sort());
    const known = this.#known.get(key)?.deref();
    if (known !== undefined) return known;
    const rights = rightsOf(permissions);
    this.#known.set(key, new WeakRef(rights));
    this.#gone.register(rights, key);
    return rights;
  }
}

interface Reach { readonly allow: string[]; readonly deny: string[] }

/**
 * What a list of permissions allows: `publish:order.*`, `subscribe:order.**`, `request:…`, `respond:…`; `deny:subscribe:order.secret`, which beats all that is
 * allowed; `manage`; `admin`, which is all of them. Anything else, as `read:report`, is the application's own and means nothing here.
 * @throws ValidationError `ERR_PERMISSIONS`
 */
export function rightsOf(permissions: readonly string[]): Rights {
  if (!Array.isArray(permissions) || permissions.length > MOST) throw invalid(`must be a list of at most ${MOST} texts`);
  const reaches: Record<Action, Reach> = { publish: reach(), subscribe: reach(), request: reach(), respond: reach() };
  let admin = false;
  let manage = false;
  for (const permission of permissions as readonly unknown[]) {
    if (typeof permission !== "string" || permission === "" || permission.length > 300) throw invalid("must be texts of 1 to 300 characters");
    const denied = permission.startsWith("deny:");
    const [verb, pattern] = split(denied ? permission.slice(5) : permission);
    const action = ACTIONS.find((one) => one === verb);
    if (action === undefined) {
      // A denial that is mistyped would deny nothing.
      if (denied) throw invalid(`${JSON.stringify(permission)} denies nothing; write deny:publish:…, deny:subscribe:…, deny:request:… or deny:respond:…`);
      if (pattern === undefined) {
        admin ||= verb === "admin";
        manage ||= verb === "manage" || verb === "admin";
      }
      continue;
    }
    if (pattern === undefined || isReserved(pattern)) throw invalid(`${JSON.stringify(permission)} needs a pattern, as ${action}:order.*; the router's own names, which begin with "$", are for who has manage`);
    assertPattern(pattern, "permissions");
    reaches[action][denied ? "deny" : "allow"].push(pattern);
  }
  return {
    allows(action, type) {
      const { allow, deny } = reaches[action];
      return (admin || allow.some((pattern) => matchesPattern(pattern, type))) && !deny.some((pattern) => matchesPattern(pattern, type)) && !isReserved(type);
    },
    contains(action, pattern) {
      const { allow, deny } = reaches[action];
      return (admin || allow.some((outer) => containsPattern(outer, pattern))) && !deny.some((denied) => overlapsPattern(denied, pattern)) && !isReserved(pattern);
    },
    has: (duty) => (duty === "admin" ? admin : manage),
  };
}

const reach = (): Reach => ({ allow: [], deny: [] });

function split(permission: string): [verb: string, pattern: string | undefined] {
  const colon = permission.indexOf(":");
  return colon < 0 ? [permission, undefined] : [permission.slice(0, colon), permission.slice(colon + 1)];
}

function invalid(message: string): ValidationError {
  return new ValidationError("ERR_PERMISSIONS", `permissions: ${message}`, { details: { path: "permissions" } });
}
