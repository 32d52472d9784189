import type { CryptoKey, JWK } from "jose";
import { ValidationError } from "../core/errors.ts";
import { isSignature, type SignatureAlgorithm, type VerificationKey } from "./jwt-keys.ts";

/** ms for which the keys of a set are good without a look at it, and for which they do when it cannot be had. */
const FRESH = 10 * 60_000;
const STALE = 60 * 60_000;
/** ms between two looks: somebody who makes up `kid`s causes no more of them. */
const PATIENCE = 60_000;
/** ms until a set that could not be had is asked for again. */
const RETRY = 10_000;
const TIMEOUT = 5_000;
const MOST = { characters: 256 * 1024, keys: 100 } as const;

export interface JwksOptions {
  /** The one address that keys are fetched from: https, or http on this machine. What a token names is never fetched. */
  readonly url: string;
  /** Algorithms that tokens may be signed with; a key of the set that names one is for that one only. */
  readonly algorithms: readonly SignatureAlgorithm[];
}

/** The keys of a JSON Web Key Set at a fixed address. */
export class Jwks {
  readonly #url: string;
  readonly #algorithms: readonly SignatureAlgorithm[];
  readonly #fetch: typeof fetch;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, VerificationKey> = new Map();
  #loadedAt = -Infinity;
  #triedAt = -Infinity;
  #loading: Promise<void> | undefined;

  /** @throws ValidationError `ERR_JWKS` */
  constructor({ url, algorithms }: JwksOptions, surroundings: { fetch: typeof fetch; now(): number }) {
    const address = URL.canParse(url) ? new URL(url) : undefined;
    const local = address !== undefined && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(address.hostname);
    if (address === undefined || !(address.protocol === "https:" || (address.protocol === "http:" && local)) || address.username !== "" || address.password !== "") throw invalid("url must be https, without a user or password; http only for this machine", "url");
    if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(isSignature)) throw invalid('algorithms must list what tokens may be signed with, as ["RS256"]; secrets (HS256) are never in a set', "algorithms");
    this.#url = address.href;
    this.#algorithms = algorithms;
    const { fetch: own } = surroundings;
    // Not as a method: some platforms refuse that.
    this.#fetch = (input, init) => own(input, init);
    this.#now = surroundings.now;
  }

  /** The key of this `kid`; undefined if the set has none. @throws Error if the set cannot be had. */
  async find(kid: string): Promise<VerificationKey | undefined> {
    const now = this.#now();
    const age = now - this.#loadedAt;
    const known = this.#keys.get(kid);
    if (known !== undefined && age < FRESH) return known;
    if (this.#loading !== undefined || now - this.#triedAt >= (age < FRESH ? PATIENCE : RETRY)) {
      try {
        await (this.#loading ??= this.#load().finally(() => { this.#loading = undefined; }));
      } catch (error) {
        if (age >= STALE) throw error;
      }
    } else if (age >= STALE) throw new Error("the key set could not be had a moment ago");
    return this.#keys.get(kid);
  }

  async #load(): Promise<void> {
    this.#triedAt = this.#now();
    const response = await this.#fetch(this.#url, { redirect: "error", headers: { accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT) });
    if (!response.ok) throw new Error(`the key set answers ${response.status}`);
    const text = await readUpTo(response, MOST.characters);
    const { keys } = JSON.parse(text) as { keys?: unknown };
    if (!Array.isArray(keys) || keys.length > MOST.keys) throw new Error(`the key set has no list of at most ${MOST.keys} keys`);
    const { importJWK } = await import("jose");
    const imported = new Map<string, VerificationKey>();
    for (const jwk of keys as readonly JWK[]) {
      const alg = this.#algorithmOf(jwk);
      if (alg === undefined) continue;
      const { kty, kid, n, e, crv, x, y } = jwk;
      // Its public part alone: whatever else stands in it is not looked at.
      const part = Object.fromEntries(Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined));
      const key = await importJWK(part as JWK, alg).catch(() => undefined);
      // Two keys of one name: neither can be meant.
      if (key !== undefined) imported.set(kid!, imported.has(kid!) ? { alg: "none", key: new Uint8Array() } : { alg, key: key as CryptoKey });
    }
    this.#keys = imported;
    this.#loadedAt = this.#now();
  }

  /** What a key of the set is for; undefined if it is not for signatures that are asked for. */
  #algorithmOf(jwk: JWK): SignatureAlgorithm | undefined {
    if (typeof jwk !== "object" || jwk === null || typeof jwk.kid !== "string" || jwk.kty === "oct") return undefined;
    if ((jwk.use !== undefined && jwk.use !== "sig") || (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes("verify")))) return undefined;
    const fitting = this.#algorithms.filter((alg) => (jwk.alg === undefined || jwk.alg === alg) && fits(alg, jwk));
    return fitting.length === 1 ? fitting[0] : undefined;
  }
}

function fits(alg: SignatureAlgorithm, { kty, crv }: JWK): boolean {
  switch (alg) {
    case "ES256": return kty === "EC" && crv === "P-256";
    case "ES384": return kty === "EC" && crv === "P-384";
    case "ES512": return kty === "EC" && crv === "P-521";
    case "EdDSA": case "Ed25519": return kty === "OKP" && crv === "Ed25519";
    default: return kty === "RSA";
  }
}

async function readUpTo(response: Response, most: number): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > most) throw new Error("the key set is too large");
  }
  return text + decoder.decode();
}

function invalid(message: string, path: string): ValidationError {
  return new ValidationError("ERR_JWKS", `jwt.jwks.${message}`, { details: { path: `jwt.jwks.${path}` } });
}
