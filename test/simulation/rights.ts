import { AuthenticationError } from "../../src/core/errors.ts";
import { matchesPattern } from "../../src/core/pattern.ts";
import { everything, type Policy, type Principal, type Rights } from "../../src/core/policy.ts";
import type { Process } from "./process.ts";
import type { RouterNode } from "./router-node.ts";

/** What those who may read only some may not read. */
export const SECRET = "b.x";

const some: Rights = {
  allows: (action, type) => action !== "subscribe" || type !== SECRET,
  contains: (action, pattern) => action !== "subscribe" || !matchesPattern(pattern, SECRET),
  has: () => true,
};

/** They may subscribe to anything, and are asked for each event. */
const denied: Rights = { ...some, contains: () => true };

export type Restriction = "all" | "some" | "denied" | "refused";

/** Who may read what, which changes while sessions run. */
export class Authority {
  /** Clients that may read only some, and since when. */
  readonly #restricted = new Map<string, { readonly since: number; readonly rights: Rights }>();
  /** Clients to which not every event that they asked for was owed at all times. */
  readonly #spared = new Set<string>();
  /** Clients that are not let in at all. */
  readonly #refused = new Set<string>();
  /** Those that were not, at one time. */
  readonly #turnedAway = new Set<string>();
  readonly policy: Policy = {
    authenticate: (credential) => {
      if (credential?.type !== "api_key") throw new AuthenticationError("ERR_UNAUTHENTICATED", "a simulated client has a key");
      return this.#principal(credential.key);
    },
    review: ({ origin }) => this.#principal(origin as string),
    restore: ({ origin }) => this.#principal(origin as string),
  };

  /** The change holds at once, on all routers that run. */
  restrict(client: string, now: number, to: Restriction, routers: readonly RouterNode[]): void {
    if (to === "refused") {
      this.#refused.add(client);
      this.#turnedAway.add(client);
    }
    if (to !== "refused") this.#refused.delete(client);
    if (to === "denied") this.#spared.add(client);
    if (to === "all") this.#restricted.delete(client);
    else if (to !== "refused") this.#restricted.set(client, { since: this.#restricted.get(client)?.since ?? now, rights: to === "some" ? some : denied });
    for (const { router } of routers) router?.reauthorize();
  }

  /** Whether an event may leave a router for a client: what was on its way when the router heard of the change, within the same turn, is let go. */
  mayRead(client: string, type: string, router: Process): boolean {
    return type !== SECRET || router.hearsOf(this.#restricted.get(client)?.since ?? Infinity) >= router.clockless();
  }

  /** Whether a client was refused for good at one time: it may hear of that late. */
  turnedAway(client: string): boolean { return this.#turnedAway.has(client); }

  /** Whether an event may have passed by one of these clients, for want of rights at its time. */
  spares(clients: readonly string[], type: string): boolean {
    return type === SECRET && clients.some((client) => this.#spared.has(client));
  }

  /** All are of one application, and share its groups. */
  #principal(client: string): Principal {
    if (this.#refused.has(client)) throw new AuthenticationError("ERR_REVOKED", "this client is not let in now");
    return { subject: "app", origin: client, rights: this.#restricted.get(client)?.rights ?? everything };
  }
}
