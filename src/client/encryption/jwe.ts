import { EncryptionError } from "../../core/errors.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";

/** The `typ` by which a payload is known for ours: nothing else marks it, so nothing else can be taken off. */
const TYPE = "event-router+jwe";
const START = `{"typ":"${TYPE}"`;

/** What a payload belongs to; it opens nowhere else. */
export interface Binding {
  readonly namespace: string;
  readonly type: string;
  /** Of the event; of an answer that of its request. */
  readonly id: string;
  /** Undefined: an event. */
  readonly kind: "request" | "answer" | "failure" | "reason" | undefined;
}

/** A JWE in compact form (RFC 7516, 7.1), read and not yet opened. */
export interface Jwe {
  readonly binding: Binding;
  readonly kid: string;
  /** As it travels, base64url. */
  readonly header: string;
  readonly wrappedKey: string;
  readonly iv: Uint8Array;
  readonly ciphertext: string;
  readonly tag: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The protected header, base64url. */
export function headerOf(kid: string, { namespace, type, id, kind }: Binding): string {
  return toBase64url(encoder.encode(`${START},"alg":"A256KW","enc":"A256GCM","kid":"${kid}","ns":${JSON.stringify(namespace)},"type":${JSON.stringify(type)},"id":${JSON.stringify(id)}${kind === undefined ? "" : `,"kind":"${kind}"`}}`));
}

/** base64url of the first 24 characters of a header of ours. */
const PREFIX = toBase64url(encoder.encode(START.slice(0, 24)));

/** Five parts: header, wrapped key (40 bytes), IV (12), ciphertext, tag (16). */
const SHAPE = /^[\w-]+\.[\w-]{54}\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/;

/**
 * Undefined if the payload is not one of ours, but something in the clear.
 * @throws EncryptionError `ERR_DECRYPT` if it is one, but malformed.
 */
export function readJwe(payload: unknown): Jwe | undefined {
  // Every header begins so: `{`, and `"` or white space.
  if (typeof payload !== "string" || !/^e[wy]/.test(payload)) return undefined;
  const [header = "", wrappedKey, iv, ciphertext, tag] = payload.split(".", 5);
  const fields = parseHeader(header);
  if (fields?.typ !== TYPE && !payload.startsWith(PREFIX)) return undefined;
  if (fields === undefined || !SHAPE.test(payload)) throw malformed("it is cut off or changed");
  const { alg, enc, kid, ns, type, id, kind } = fields;
  if (alg !== "A256KW" || enc !== "A256GCM" || "zip" in fields || "crit" in fields) throw malformed("its algorithms are not A256KW and A256GCM alone");
  if (typeof kid !== "string" || typeof ns !== "string" || typeof type !== "string" || typeof id !== "string") throw malformed("its header lacks kid, ns, type or id");
  return { binding: { namespace: ns, type, id, kind: kind as Binding["kind"] }, kid, header, wrappedKey: wrappedKey!, iv: fromBase64url(iv!), ciphertext: ciphertext!, tag: tag! };
}

function parseHeader(header: string): Record<string, unknown> | undefined {
  try {
    const fields = JSON.parse(decoder.decode(fromBase64url(header))) as unknown;
    return typeof fields === "object" && fields !== null ? (fields as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function malformed(why: string): EncryptionError {
  return new EncryptionError("ERR_DECRYPT", `the payload is no JWE of this version: ${why}; it was changed on its way, or its publisher is newer`);
}
