import { milliseconds, type Duration } from "../core/duration.ts";
import { importKeys, type JwtKey } from "./jwt-keys.ts";
import { Grant, type GrantInit } from "./grant.ts";
import { RightsPool } from "./rights.ts";

export interface TokenInit extends GrantInit {
  readonly issuer: string;
  readonly audience: string;
  /** Who its holder is. */
  readonly subject: string;
  /** How long it is good; default an hour. */
  readonly expiresIn?: Duration | undefined;
  /** Its `jti`; default: one is made. */
  readonly id?: string | undefined;
}

/**
 * A token (JWT) signed with a secret of the router's own, for services and tests. People's tokens come from a login server with a key set.
 * @throws ValidationError `ERR_JWT_KEY`, `ERR_PERMISSIONS`, `ERR_NAMESPACES`
 */
export async function createToken(key: Extract<JwtKey, { secret: unknown }>, { issuer, audience, subject, expiresIn = 3_600_000, id = crypto.randomUUID(), ...grant }: TokenInit, now: () => number = Date.now): Promise<string> {
  const [[kid, { alg, key: secret }]] = [...(await importKeys([key]))] as [[string | undefined, { alg: string; key: Uint8Array }]];
  // A token that no router would take is not worth making.
  void new Grant(grant, new RightsPool());
  const { SignJWT } = await import("jose");
  const seconds = Math.floor(now() / 1_000);
  return new SignJWT({ permissions: grant.permissions, ...(grant.namespaces !== undefined && { namespaces: grant.namespaces }) })
    .setProtectedHeader({ alg, typ: "JWT", ...(kid !== undefined && { kid }) })
    .setIssuer(issuer).setAudience(audience).setSubject(subject).setJti(id).setIssuedAt(seconds).setExpirationTime(seconds + Math.ceil(milliseconds(expiresIn, "expiresIn") / 1_000))
    .sign(secret);
}
