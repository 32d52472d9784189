import type { CryptoKey, JWK } from "jose";
import { ValidationError } from "../core/errors.ts";
import { fromBase64url } from "./digest.ts";

/** Bytes that a secret must have: as many as the digest (RFC 7518, 3.2). */
const SECRET_BYTES = { HS256: 32, HS384: 48, HS512: 64 } as const;
const SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const;

export type SecretAlgorithm = keyof typeof SECRET_BYTES;
export type SignatureAlgorithm = (typeof SIGNATURES)[number];

/** A key that tokens may be signed with. Its algorithm is fixed: what a token says of its own counts for nothing. */
export type JwtKey =
  /** `secret`: bytes, or base64url of them; as many as the digest has. */
  | { readonly kid?: string | undefined; readonly alg: SecretAlgorithm; readonly secret: string | Uint8Array }
  /** `publicKey`: PEM (`-----BEGIN PUBLIC KEY-----`), JWK or CryptoKey; never the private half. */
  | { readonly kid?: string | undefined; readonly alg: SignatureAlgorithm; readonly publicKey: string | JWK | CryptoKey };

export interface VerificationKey { readonly alg: string; readonly key: CryptoKey | Uint8Array }

/** The keys of a configuration, by `kid`; a token without one is for the key without one. @throws ValidationError `ERR_JWT_KEY` */
export async function importKeys(keys: readonly JwtKey[]): Promise<ReadonlyMap<string | undefined, VerificationKey>> {
  const imported = new Map<string | undefined, VerificationKey>();
  for (const [i, key] of keys.entries()) {
    const { kid } = key;
    if (imported.has(kid)) throw invalid(i, `there is another key with the kid ${JSON.stringify(kid)}; each needs its own`);
    imported.set(kid, { alg: key.alg, key: "secret" in key ? readSecret(key, i) : await readPublic(key, i) });
  }
  return imported;
}

/** Whether a token may be signed so, with a key of a JWKS. */
export function isSignature(alg: unknown): alg is SignatureAlgorithm {
  return (SIGNATURES as readonly unknown[]).includes(alg);
}

/** The bytes of a secret for HMAC. @throws ValidationError `ERR_JWT_KEY` */
function readSecret({ alg, secret }: Extract<JwtKey, { secret: unknown }>, i: number): Uint8Array {
  if (!Object.hasOwn(SECRET_BYTES, alg)) throw invalid(i, `${String(alg)} takes no secret; secrets are for ${Object.keys(SECRET_BYTES).join(", ")}`);
  let bytes: Uint8Array;
  try {
    bytes = typeof secret === "string" ? fromBase64url(secret) : secret;
  } catch (cause) {
    throw invalid(i, "secret must be base64url; make one with: openssl rand -base64 32", cause);
  }
  if (bytes.length < SECRET_BYTES[alg]) throw invalid(i, `secret has ${bytes.length} bytes and must have ${SECRET_BYTES[alg]} for ${alg}; make one with: openssl rand -base64 ${SECRET_BYTES[alg]}`);
  return bytes;
}

async function readPublic({ alg, publicKey }: Extract<JwtKey, { publicKey: unknown }>, i: number): Promise<CryptoKey> {
  if (!isSignature(alg)) throw invalid(i, `${String(alg)} is no algorithm of signatures; there are ${SIGNATURES.join(", ")}`);
  const { importJWK, importSPKI } = await import("jose");
  try {
    if (typeof publicKey === "string") return await importSPKI(publicKey, alg);
    if ("kty" in publicKey) {
      if ("d" in publicKey || publicKey.kty === "oct") throw new Error("it holds a private key or a secret");
      return (await importJWK(publicKey, alg)) as CryptoKey;
    }
    if ((publicKey as CryptoKey).type !== "public") throw new Error("it is no public key");
    return publicKey as CryptoKey;
  } catch (cause) {
    throw invalid(i, `publicKey is not a public key for ${alg} (${(cause as Error).message}); give the PEM that begins with -----BEGIN PUBLIC KEY-----, or a JWK`, cause);
  }
}

function invalid(i: number, message: string, cause?: unknown): ValidationError {
  return new ValidationError("ERR_JWT_KEY", `jwt.keys[${i}] ${message}`, { details: { path: `jwt.keys.${i}` }, cause });
}
