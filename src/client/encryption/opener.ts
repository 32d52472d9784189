import { EncryptionError } from "../../core/errors.ts";
import { fromBase64url } from "./base64url.ts";
import type { ContentCipher, Engine } from "./engine.ts";
import { checkShape, HeaderWriter, readHeader, splitJwe, type Binding, type Jwe } from "./jwe.ts";
import type { KeyWrap } from "./key-wrap.ts";

/** A content key of somebody's session, ready. */
interface Known {
  readonly kid: string;
  readonly cipher: ContentCipher;
  /** Writes what headers under this key look like, if our own kind wrote them. */
  readonly headers: HeaderWriter;
}

/** Content keys that are kept ready; each is 32 bytes and what an engine makes of them. */
const MOST_KNOWN = 1_024;

/** Opens payloads, if they are what they came as. */
export class Opener {
  readonly #keys: ReadonlyMap<string, KeyWrap>;
  readonly #engine: Engine;
  /** By their wrapped text. */
  readonly #known = new Map<string, Known>();
  readonly #unwrapping = new Map<string, Promise<Known>>();

  constructor(keys: ReadonlyMap<string, KeyWrap>, engine: Engine) {
    this.#keys = keys;
    this.#engine = engine;
  }

  /**
   * The JSON of a payload, at once if that can be; undefined if it came in the clear.
   * @throws EncryptionError `ERR_KEY_UNKNOWN`, `ERR_DECRYPT`, `ERR_ENCRYPTION_BINDING`
   */
  open(payload: unknown, expected: Binding): string | Promise<string> | undefined {
    const jwe = splitJwe(payload);
    if (jwe === undefined) return undefined;
    const known = this.#known.get(jwe.wrappedKey);
    // Nearly always it says just what it must, to the letter.
    if (known !== undefined && jwe.header === known.headers.write(expected)) {
      checkShape(jwe, true);
      return decrypt(known, jwe);
    }
    const header = readHeader(jwe.header);
    if (header === undefined) return undefined;
    checkShape(jwe, false);
    checkBinding(header.binding, expected);
    if (known?.kid === header.kid) return decrypt(known, jwe);
    return this.#unwrap(header.kid, jwe.wrappedKey).then((unwrapped) => decrypt(unwrapped, jwe));
  }

  async #unwrap(kid: string, wrapped: string): Promise<Known> {
    const name = `${kid}.${wrapped}`;
    let unwrapping = this.#unwrapping.get(name);
    if (unwrapping === undefined) {
      const key = this.#keys.get(kid);
      if (key === undefined) throw new EncryptionError("ERR_KEY_UNKNOWN", `the payload is encrypted with the key "${kid.slice(0, 64)}", which this client does not have; add it to encryption.keys`, { details: { kid: kid.slice(0, 64) } });
      unwrapping = this.#makeReady(kid, key, wrapped).finally(() => this.#unwrapping.delete(name));
      this.#unwrapping.set(name, unwrapping);
    }
    return unwrapping;
  }

  async #makeReady(kid: string, key: KeyWrap, wrapped: string): Promise<Known> {
    try {
      const known = { kid, cipher: await this.#engine.cipher(await key.unwrap(fromBase64url(wrapped))), headers: new HeaderWriter(kid) };
      if (this.#known.size === MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(wrapped, known);
      return known;
    } catch (cause) {
      throw undecryptable(kid, cause);
    }
  }
}

function decrypt({ kid, cipher }: Known, { header, iv, ciphertext, tag }: Jwe): string | Promise<string> {
  try {
    const text = cipher.decrypt(iv, header, ciphertext, tag);
    return typeof text === "string" ? text : text.catch((cause: unknown) => { throw undecryptable(kid, cause); });
  } catch (cause) {
    throw undecryptable(kid, cause);
  }
}

function undecryptable(kid: string, cause: unknown): EncryptionError {
  return new EncryptionError("ERR_DECRYPT", `the payload does not open with the key "${kid}": it was changed on its way, or encrypted with another key of that name`, { cause, details: { kid } });
}

function checkBinding(found: Binding, expected: Binding): void {
  for (const name of ["namespace", "type", "id", "kind"] as const) {
    if (found[name] !== expected[name]) throw new EncryptionError("ERR_ENCRYPTION_BINDING", `the payload was encrypted for another ${name === "kind" ? "purpose" : name} than the one it comes with; somebody on the way has moved it, so do not trust this router`, { details: { path: name } });
  }
}
