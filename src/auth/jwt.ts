import type { JWTHeaderParameters, JWTPayload } from "jose";
import { milliseconds, type Duration } from "../core/duration.ts";
import { AuthenticationError, ConnectionError, EventRouterError, ValidationError } from "../core/errors.ts";
import type { Principal, SavedPrincipal } from "../core/policy.ts";
import { Grant, type GrantInit } from "./grant.ts";
import { Jwks, type JwksOptions } from "./jwks.ts";
import { importKeys, type JwtKey, type VerificationKey } from "./jwt-keys.ts";
import { Revocations, type RevocablePolicy } from "./revocable.ts";
import { RightsPool } from "./rights.ts";

export interface JwtOptions {
  /** `iss` of every token. */
  readonly issuer: string;
  /** Must be (among) the `aud` of every token: a token that was made for another service opens nothing here. */
  readonly audience: string;
  readonly keys?: readonly JwtKey[] | undefined;
  readonly jwks?: JwksOptions | undefined;
  /** What clocks may differ by, at most a minute; default 5 s. */
  readonly clockTolerance?: Duration | undefined;
  /** Which claims hold what it may do: default `permissions` (a list, or an object of lists by namespace) and `namespaces` (a list). One for the client's only name is read if it is named here. */
  readonly claims?: { readonly permissions?: string | undefined; readonly namespaces?: string | undefined; readonly name?: string | undefined } | undefined;
  /** Whether a token was withdrawn, as a list of your own says; asked at the beginning of each session and after `recheck`. */
  isRevoked?(token: TokenFacts): boolean;
  readonly fetch?: typeof fetch | undefined;
  now?(): number;
}

/** What is remembered of a token while its session lasts. */
export interface TokenFacts {
  readonly subject: string;
  /** Its `jti`. */
  readonly id?: string | undefined;
  /** ms since 1970. */
  readonly issuedAt?: number | undefined;
}

export interface JwtPolicy extends RevocablePolicy {
  /**
   * All tokens of a subject that were issued until now are worthless, and who came with one is thrown out, at every router that shares the store. It is
   * remembered there; a router whose store is its own forgets it when it ends: for longer use `isRevoked`.
   */
  revoke(subject: string): void;
  /** Asks `isRevoked` again, about everyone who is there or those of a subject, at every router that shares the store. */
  recheck(subject?: string): void;
}

/** Longer ones are not looked at; a hello has no room for them anyway. */
const LONGEST = 8_192;
/** The last time there is (ECMA-262, 21.4.1.1), ms. */
const LAST = 8.64e15;
/** As it is signed, to the letter: a decoder may be more lenient than that. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Lets in who holds a signed token (JWT). Its algorithm is that of the key which its `kid` names, whatever it says; `iss`, `aud`, `exp` and `sub` must be there.
 * @throws ValidationError `ERR_JWT`, `ERR_JWT_KEY`, `ERR_JWKS`
 */
export async function jwtPolicy(options: JwtOptions): Promise<JwtPolicy> {
  const { issuer, audience, keys = [], jwks, claims = {}, now = Date.now, isRevoked = () => false } = options;
  for (const [name, value] of [["issuer", issuer], ["audience", audience]] as const) if (typeof value !== "string" || value === "") throw invalid(name, "must be a text: a token that is for anybody from anybody proves nothing");
  if (keys.length === 0 && jwks === undefined) throw invalid("keys", "or jwks must say who signs tokens");
  const tolerance = milliseconds(options.clockTolerance ?? 5_000, "jwt.clockTolerance") / 1_000;
  if (tolerance > 60) throw invalid("clockTolerance", "may be a minute at most; set the clocks");
  const own = await importKeys(keys);
  const set = jwks && new Jwks(jwks, { fetch: options.fetch ?? fetch, now });
  const pool = new RightsPool();
  const revocations = new Revocations();
  const revokedAt = new Map<string, number>();
  const { permissions: permissionsClaim = "permissions", namespaces: namespacesClaim = "namespaces", name: nameClaim } = claims;

  const keyOf = async ({ kid, alg, typ, jku, x5u, jwk }: JWTHeaderParameters): Promise<VerificationKey["key"]> => {
    if (typ !== undefined && !/^(application\/)?(at\+)?jwt$/i.test(typ)) throw new Refused("it is of another type");
    if (jku !== undefined || x5u !== undefined || jwk !== undefined) throw new Refused("it brings its own key");
    const found = own.get(kid) ?? (kid === undefined ? undefined : await set?.find(kid).catch((cause: unknown) => {
      throw new ConnectionError("ERR_JWKS", "the router cannot fetch the keys that tokens are signed with; connect again later", { retryable: true, cause });
    }));
    if (found === undefined) throw new Refused("its key (kid) is not known here");
    if (found.alg !== alg) throw new Refused("its algorithm is not that of its key");
    return found.key;
  };

  const forget = (subject: string, until: number): void => {
    if (until <= (revokedAt.get(subject) ?? -Infinity)) return;
    revokedAt.set(subject, until);
    revocations.tell(subject);
  };
  const checkRevoked = (token: TokenFacts): void => {
    const since = revokedAt.get(token.subject);
    if ((since !== undefined && (token.issuedAt === undefined || token.issuedAt <= since)) || isRevoked(token)) throw new AuthenticationError("ERR_REVOKED", "this token was withdrawn; ask for a new one");
  };
  const principalOf = (payload: JWTPayload, namespace: string): Principal => {
    const { sub, iat, exp, jti } = payload;
    const token: TokenFacts = { subject: sub!, ...(jti !== undefined && { id: jti }), ...(iat !== undefined && { issuedAt: iat * 1_000 }) };
    checkRevoked(token);
    const name = nameClaim === undefined ? undefined : payload[nameClaim];
    if (name !== undefined && typeof name !== "string") throw refused(`its claim ${nameClaim} is no text`);
    return { subject: sub!, expiresAt: exp! * 1_000, ...grantOf(payload).in(namespace), origin: token, ...(name !== undefined && { name }) };
  };
  const again = (saved: SavedPrincipal): Principal => {
    checkRevoked(saved.origin as TokenFacts);
    return { ...saved, rights: pool.of(saved.permissions!) };
  };

  const grantOf = (payload: JWTPayload): Grant => {
    const permissions = payload[permissionsClaim];
    const namespaces = payload[namespacesClaim];
    try {
      return new Grant({ permissions: (permissions ?? []) as GrantInit["permissions"], ...(namespaces !== undefined && { namespaces: (typeof namespaces === "string" ? [namespaces] : namespaces) as string[] }) }, pool);
    } catch (cause) {
      throw cause instanceof ValidationError ? refused(cause.message) : cause;
    }
  };

  const verify = async (token: string): Promise<JWTPayload> => {
    if (!COMPACT.test(token)) throw refused("it is malformed");
    const { jwtVerify } = await import("jose");
    try {
      const { payload } = await jwtVerify(token, keyOf, { issuer, audience, requiredClaims: ["exp", "sub"], clockTolerance: tolerance, currentDate: new Date(now()) });
      if (typeof payload.sub !== "string" || payload.sub === "" || payload.sub.length > 256) throw new Refused("its subject (sub) must have 1 to 256 characters");
      if (payload.iat !== undefined && payload.iat > now() / 1_000 + tolerance) throw new Refused("it was issued in the future");
      if (!(payload.exp! * 1_000 <= LAST)) throw new Refused("its end (exp) is no time");
      if (payload.exp! * 1_000 <= now()) throw expired();
      return payload;
    } catch (thrown) {
      if (thrown instanceof EventRouterError) throw thrown;
      // The claims of a token are nobody's to read but its holder's: of what went wrong only the kind is told.
      if ((thrown as { code?: unknown }).code === "ERR_JWT_EXPIRED") throw expired();
      throw refused(thrown instanceof Refused ? thrown.message : reasonOf(thrown));
    }
  };

  return {
    watch: revocations.watch,
    async authenticate(credential, namespace) {
      const token = credential?.type === "jwt" && typeof credential.token === "string" && credential.token.length <= LONGEST ? credential.token : undefined;
      if (token === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", 'this router takes tokens (JWT): send one as Authorization: Bearer over HTTP, or as auth: { type: "jwt", token } in a client');
      return principalOf(await verify(token), namespace);
    },
    review: again,
    restore: again,
    withdrawn: revocations.withdrawn,
    withdraw(what) {
      const [subject, until] = what as [string | null, number?];
      if (until === undefined) revocations.tell(subject ?? undefined);
      else if (subject !== null) forget(subject, until);
    },
    revoke(subject) {
      const until = now();
      forget(subject, until);
      revocations.pass({ what: [subject, until], lasts: true });
    },
    recheck(subject) {
      revocations.tell(subject);
      revocations.pass({ what: [subject ?? null], lasts: false });
    },
  };
}

/** Why a token is refused, in words of ours. */
class Refused extends Error {}

function reasonOf(thrown: unknown): string {
  const { code, claim } = thrown as { code?: unknown; claim?: unknown };
  if (code === "ERR_JWT_CLAIM_VALIDATION_FAILED" && typeof claim === "string") return `its claim ${claim} is missing or not the one that is asked for`;
  return code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" ? "its signature is wrong" : "it is malformed";
}

function refused(reason: string): AuthenticationError {
  return new AuthenticationError("ERR_UNAUTHENTICATED", `this token is refused: ${reason}; ask for a new one`);
}

function expired(): AuthenticationError {
  return new AuthenticationError("ERR_EXPIRED", "this token has run out; ask for a new one");
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError("ERR_JWT", `jwt.${path} ${message}`, { details: { path: `jwt.${path}` } });
}
