import { AuthenticationError, PermissionError } from "../../src/core/errors.ts";
import { containsPattern, matchesPattern } from "../../src/core/pattern.ts";
import type { Action, Duty, Policy, Rights } from "../../src/core/policy.ts";

/** What a key's holder may do: `{ subscribe: ["order.*"] }`; changed by the test at any time. */
export interface Grant {
  subject: string;
  name?: string;
  namespaces?: readonly string[];
  may: Partial<Record<Action, readonly string[]>>;
  duties?: readonly Duty[];
}

/** Rights by API key, looked up anew each time they are asked for. */
export function testPolicy(grants: Record<string, Grant>): Policy {
  const rights = new Map<string, Rights>();
  return {
    authenticate(credential, namespace) {
      const key = credential?.type === "api_key" ? credential.key : "";
      const grant = Object.hasOwn(grants, key) ? grants[key]! : undefined;
      if (grant === undefined) throw new AuthenticationError("ERR_CREDENTIAL", "this key is not known; use another");
      if (grant.namespaces !== undefined && !grant.namespaces.includes(namespace)) throw new PermissionError("ERR_NAMESPACE", `not allowed in "${namespace}"`);
      if (!rights.has(key)) {
        rights.set(key, {
          allows: (action, type) => (grants[key]!.may[action] ?? []).some((pattern) => matchesPattern(pattern, type)),
          contains: (action, pattern) => (grants[key]!.may[action] ?? []).some((outer) => containsPattern(outer, pattern)),
          has: (duty) => grants[key]!.duties?.includes(duty) === true,
        });
      }
      return { subject: grant.subject, rights: rights.get(key)!, ...(grant.name !== undefined && { name: grant.name }) };
    },
  };
}
