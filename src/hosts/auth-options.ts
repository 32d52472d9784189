import * as z from "zod";
import { anyPolicy } from "../auth/any-policy.ts";
import { apiKeyPolicy, type ApiKey, type ApiKeyPolicy } from "../auth/api-keys.ts";
import { certificatePolicy, type CertificateGrant, type CertificatePolicy } from "../auth/certificates.ts";
import { jwtPolicy, type JwtOptions, type JwtPolicy } from "../auth/jwt.ts";
import { ValidationError } from "../core/errors.ts";
import type { Policy } from "../core/policy.ts";

/** Who may come in, and what for. Each credential is for its own kind. */
export interface AuthOptions {
  /** Keys `id.secret`. As a text: it may do everything in every namespace. As an object, which `event-router token --api-key` makes: what it says. */
  readonly apiKeys?: readonly (string | ApiKey)[] | undefined;
  readonly jwt?: JwtOptions | undefined;
  /** Client certificates, where `tls` has a `ca` that signs them. */
  readonly certificates?: readonly CertificateGrant[] | undefined;
}

const grant = {
  namespaces: z.array(z.string()).optional(),
  permissions: z.union([z.array(z.string()), z.record(z.string(), z.array(z.string()))]),
};
const person = { subject: z.string().min(1).max(256).optional(), name: z.string().regex(/^[\w.:@-]{1,128}$/, "must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ -").optional() };
const apiKey = z.strictObject({ id: z.string(), hash: z.string(), ...person, expiresAt: z.union([z.string(), z.number()]).optional(), ...grant });
const secretKey = z.strictObject({ kid: z.string().optional(), alg: z.enum(["HS256", "HS384", "HS512"]), secret: z.union([z.string(), z.instanceof(Uint8Array)]) });
const publicKey = z.strictObject({ kid: z.string().optional(), alg: z.string(), publicKey: z.union([z.string(), z.custom<object>((value) => typeof value === "object" && value !== null)]) });
const isFunction = z.custom((value) => typeof value === "function", "must be a function");

/** The shape of `auth`, in options and in a file; what the parts mean is checked by the policies. */
export const authShape = z.strictObject({
  apiKeys: z.array(z.union([z.string(), apiKey])).min(1, "must have at least one key, or be left out").optional(),
  jwt: z.strictObject({
    issuer: z.string(),
    audience: z.string(),
    keys: z.array(z.union([secretKey, publicKey])).optional(),
    jwks: z.strictObject({ url: z.string(), algorithms: z.array(z.string()) }).optional(),
    clockTolerance: z.union([z.number(), z.string()]).optional(),
    claims: z.strictObject({ permissions: z.string().optional(), namespaces: z.string().optional(), name: z.string().optional() }).optional(),
    isRevoked: isFunction.optional(),
    fetch: isFunction.optional(),
    now: isFunction.optional(),
  }).optional(),
  certificates: z.array(z.strictObject({ fingerprint: z.string().optional(), san: z.string().optional(), ...person, ...grant })).min(1, "must have at least one, or be left out").optional(),
}).refine((auth) => Object.values(auth).some((one) => one !== undefined), "must have apiKeys, jwt or certificates");

/** What a file says, in that shape. @throws ValidationError `ERR_OPTION` naming the place. */
export function readAuthOptions(value: unknown): AuthOptions {
  const result = authShape.safeParse(value);
  if (result.success) return result.data as AuthOptions;
  const issue = result.error.issues[0]!;
  const path = ["auth", ...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])].join(".");
  throw new ValidationError("ERR_OPTION", `${path}: ${issue.code === "unrecognized_keys" ? "is not known here" : issue.message}`, { details: { path } });
}

/** The policy of these options, and its parts, by which something can be taken back while the server runs. */
export interface AuthPolicy {
  readonly policy: Policy;
  readonly apiKeys?: ApiKeyPolicy;
  readonly jwt?: JwtPolicy;
  readonly certificates?: CertificatePolicy;
}

/** @throws ValidationError for what does not fit. */
export async function openAuth({ apiKeys, jwt, certificates }: AuthOptions): Promise<AuthPolicy> {
  const parts = {
    ...(apiKeys !== undefined && { apiKeys: await apiKeyPolicy(apiKeys) }),
    ...(jwt !== undefined && { jwt: await jwtPolicy(jwt) }),
    ...(certificates !== undefined && { certificates: certificatePolicy(certificates) }),
  };
  return { ...parts, policy: anyPolicy(parts) };
}
