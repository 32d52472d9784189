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

/** Who may read what, which changes while sessions run. */
export class Authority {
  /** Clients that may read only some, and since when. */
  readonly #restricted = new Map<string, number>();
  readonly policy: Policy = {
    authenticate: (credential) => {
      if (credential?.type !== "api_key") throw new AuthenticationError("ERR_UNAUTHENTICATED", "a simulated client has a key");
      return this.#principal(credential.key);
    },
    review: ({ origin }) => this.#principal(origin as string),
  };

  /** The change holds at once, on all routers that run. */
  restrict(process: Process, to: "all" | "some", routers: readonly RouterNode[]): void {
    if (to === "all") this.#restricted.delete(process.name);
    else if (!this.#restricted.has(process.name)) this.#restricted.set(process.name, process.clockless());
    for (const { router } of routers) router?.reauthorize();
  }

  /** Whether an event may leave for a client: what was on its way when its rights changed, within the same turn, is let go. */
  mayRead(client: string, type: string, now: number): boolean {
    return type !== SECRET || (this.#restricted.get(client) ?? Infinity) >= now;
  }

  /** All are of one application, and share its groups. */
  #principal(client: string): Principal {
    return { subject: "app", origin: client, rights: this.#restricted.has(client) ? some : everything };
  }
}
