import { createHash, timingSafeEqual } from "node:crypto";
import { AuthenticationError } from "../core/errors.ts";
import type { Credential } from "../core/frames.ts";
import { everything, type Policy, type Principal } from "../core/policy.ts";

/** Characters that a key must have: shorter ones can be guessed. */
export const SHORTEST_KEY = 16;

/** Whoever has one of the keys may do everything. Keys are kept as digests, and compared in a time that tells nothing of them. */
export function apiKeyPolicy(keys: readonly string[]): Policy {
  const known = keys.map((key): readonly [digest: Buffer, principal: Principal] => {
    const digest = digestOf(key);
    return [digest, { subject: `key:${digest.toString("hex", 0, 4)}`, rights: everything }];
  });
  return {
    authenticate(credential) {
      const key = keyOf(credential);
      if (key === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", 'this router takes API keys: send one as X-API-Key over HTTP, or as auth: { type: "api_key", key } in a client');
      const digest = digestOf(key);
      let principal: Principal | undefined;
      for (const [one, who] of known) if (timingSafeEqual(one, digest)) principal = who;
      if (principal === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", "this API key is not one of the router's; check it for a typing mistake, or ask for a new one");
      return principal;
    },
  };
}

/** A credential comes from a client and may be anything. */
function keyOf(credential: Credential | undefined): string | undefined {
  return credential?.type === "api_key" && typeof credential.key === "string" ? credential.key : undefined;
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
