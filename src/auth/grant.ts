import { PermissionError, ValidationError } from "../core/errors.ts";
import type { Principal } from "../core/policy.ts";
import type { RightsPool } from "./rights.ts";

/** What a credential gives its holder. */
export interface GrantInit {
  /** The namespaces it is good for, `"*"` for all; default `["default"]`. Left out where `permissions` names them. */
  readonly namespaces?: readonly string[] | undefined;
  /** A list for all of its namespaces, or one for each: `{ shop: ["publish:order.*"], "*": ["subscribe:news"] }`. What is under `"*"` holds in every one. */
  readonly permissions: readonly string[] | Readonly<Record<string, readonly string[]>>;
}

/** What a credential gives, by namespace. A namespace that it does not name is not there for it. */
export class Grant {
  readonly #lists: ReadonlyMap<string, readonly string[]>;
  readonly #pool: RightsPool;

  /** @throws ValidationError `ERR_PERMISSIONS`, `ERR_NAMESPACES` */
  constructor({ namespaces, permissions }: GrantInit, pool: RightsPool) {
    this.#pool = pool;
    if (Array.isArray(permissions)) {
      const names = namespaces ?? ["default"];
      checkNames(names);
      this.#lists = new Map(names.map((name) => [name, permissions as readonly string[]]));
    } else {
      if (namespaces !== undefined || typeof permissions !== "object" || permissions === null) throw new ValidationError("ERR_NAMESPACES", "permissions must be a list, or an object of lists by namespace, which then stands in place of namespaces", { details: { path: "permissions" } });
      const lists = Object.entries(permissions as Readonly<Record<string, readonly string[]>>);
      checkNames(lists.map(([name]) => name));
      this.#lists = new Map(lists);
    }
    for (const list of this.#lists.values()) pool.of(list);
  }

  /** @throws PermissionError `ERR_NAMESPACE` */
  in(namespace: string): Pick<Principal, "rights" | "permissions" | "everywhere"> {
    const own = this.#lists.get(namespace);
    const shared = this.#lists.get("*");
    if (own === undefined && shared === undefined) throw new PermissionError("ERR_NAMESPACE", `this credential is not for the namespace "${namespace}"; use one of its own, or ask for another credential`, { details: { namespace } });
    const permissions = own === undefined ? shared! : shared === undefined || own === shared ? own : [...own, ...shared];
    return { rights: this.#pool.of(permissions), permissions, ...(own === undefined && { everywhere: 1 }) };
  }
}

function checkNames(names: readonly string[]): void {
  if (!Array.isArray(names) || names.length === 0 || names.length > 1_000 || !names.every((name) => typeof name === "string" && /^(\*|[\w.:@-]{1,128})$/.test(name))) {
    throw new ValidationError("ERR_NAMESPACES", 'namespaces must be names of 1 to 128 characters of A-Z a-z 0-9 _ . : @ -, or "*" for all', { details: { path: "namespaces" } });
  }
}
