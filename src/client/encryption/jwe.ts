import { EncryptionError } from "../../core/errors.ts";
import { fromBase64url, textToBase64url } from "./base64url.ts";

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

/** The parts of a JWE in compact form (RFC 7516, 7.1), base64url as they travel. */
export interface Jwe {
  readonly header: string;
  readonly wrappedKey: string;
  readonly iv: string;
  readonly ciphertext: string;
  readonly tag: string;
}

const decoder = new TextDecoder();
/** Beginnings that are remembered: programs have few types. */
const MOST_HEADS = 1_000;

/** Writes protected headers. All of one but the id is the same for each event of a type, and is written once. */
export class HeaderWriter {
  readonly #kid: string;
  readonly #heads = new Map<string, string>();
  /** Of the heads; there is seldom another. */
  #namespace = "";

  constructor(kid: string) {
    this.#kid = kid;
  }

  /** base64url. */
  write({ namespace, type, id, kind }: Binding): string {
    const name = kind === undefined ? type : `${type} ${kind}`;
    if (namespace !== this.#namespace || this.#heads.size === MOST_HEADS) {
      this.#heads.clear();
      this.#namespace = namespace;
    }
    let head = this.#heads.get(name);
    if (head === undefined) {
      let text = `${START},"alg":"A256KW","enc":"A256GCM","kid":"${this.#kid}","ns":${JSON.stringify(namespace)},${kind === undefined ? "" : `"kind":"${kind}",`}"type":${JSON.stringify(type)},`;
      // Three bytes are four digits: with white space, which JSON allows, the digits of what follows do not depend on what is before.
      while ((head = textToBase64url(`${text}"id":`)).length % 4 > 0) text += " ";
      this.#heads.set(name, head);
    }
    return head + textToBase64url(`${JSON.stringify(id)}}`);
  }
}

/** base64url of the first 24 characters of a header of ours. */
const PREFIX = textToBase64url(START.slice(0, 24));

/** Undefined if the payload is no text of five parts, nor the beginning of one of ours. What it says is not looked at. */
export function splitJwe(payload: unknown): Jwe | undefined {
  // Every header begins so: `{`, and `"` or white space.
  if (typeof payload !== "string" || payload[0] !== "e" || (payload[1] !== "y" && payload[1] !== "w")) return undefined;
  const [header = "", wrappedKey = "", iv = "", ciphertext = "", tag = "", ...more] = payload.split(".");
  if (more.length > 0 || tag === "") return startsOurs(header) ? { header, wrappedKey, iv, ciphertext, tag: "" } : undefined;
  return { header, wrappedKey, iv, ciphertext, tag };
}

const startsOurs = (header: string): boolean => header.startsWith(PREFIX) || parseHeader(header)?.typ === TYPE;

/**
 * What a header says; undefined if it is another application's.
 * @throws EncryptionError `ERR_DECRYPT` if it is one of ours, but malformed.
 */
export function readHeader(header: string): { readonly kid: string; readonly binding: Binding } | undefined {
  const fields = parseHeader(header);
  if (fields?.typ !== TYPE) {
    if (header.startsWith(PREFIX)) throw malformed("its header is cut off or changed");
    return undefined;
  }
  const { alg, enc, kid, ns, type, id, kind } = fields;
  if (alg !== "A256KW" || enc !== "A256GCM" || "zip" in fields || "crit" in fields) throw malformed("its algorithms are not A256KW and A256GCM alone");
  if (typeof kid !== "string" || typeof ns !== "string" || typeof type !== "string" || typeof id !== "string") throw malformed("its header lacks kid, ns, type or id");
  return { kid, binding: { namespace: ns, type, id, kind: kind as Binding["kind"] } };
}

/** A wrapped key has 40 bytes, an IV 12, a tag 16. @param known its wrapped key was seen before @throws EncryptionError `ERR_DECRYPT` */
export function checkShape({ wrappedKey, iv, ciphertext, tag }: Jwe, known: boolean): void {
  if (!(known || /^[\w-]{54}$/.test(wrappedKey)) || !/^[\w-]{16}$/.test(iv) || !/^[\w-]{22}$/.test(tag) || ciphertext === "") throw malformed("it is cut off or changed");
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
