import type { Credential, Hello } from "../core/frames.ts";

/** Where sessions go: those of the same route share a connection. */
export interface Route {
  /** Names the router above and how to reach it. */
  readonly upstream: string;
  readonly hello: Hello;
}

/** Claims that say when a token was made and how long it holds, not for whom. */
const TIMES = new Set(["exp", "iat", "nbf", "jti", "auth_time"]);

/**
 * What is the same for all sessions that may share a connection: the router above, what they say of themselves, and whose credential they have. Tokens that
 * differ in nothing but their times are one user's; the tabs of an origin trust each other, so that is read here and not verified. The router above verifies.
 */
export function routeKey({ upstream, hello: { auth, ...hello } }: Route): string {
  return JSON.stringify([upstream, { ...hello, instance: undefined }, auth?.type === "jwt" ? claimsOf(auth.token, TIMES) ?? auth : auth]);
}

/** Whether the first credential was made no earlier than the second; of those that do not say, the one that came last. */
export function isNewer(one: Credential | undefined, other: Credential | undefined): boolean {
  const madeAt = (credential: Credential | undefined): number => Number(credential?.type === "jwt" ? claimsOf(credential.token)?.iat ?? NaN : NaN);
  return !(madeAt(one) < madeAt(other));
}

/** What a JWT says; undefined if it cannot be read. */
function claimsOf(token: string, without: ReadonlySet<string> = new Set()): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"));
    return Object.fromEntries(Object.entries(JSON.parse(text) as object).filter(([name]) => !without.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
  } catch {
    return undefined;
  }
}
