import { toBase64url } from "./base64url.ts";
import type { ContentCipher, Engine } from "./engine.ts";
import { headerOf, type Binding } from "./jwe.ts";
import type { KeyWrap } from "./key-wrap.ts";

/** Payloads under one content key: a sixteenth of 2^24, where it must be over. */
export const MOST_MESSAGES = 2 ** 20;

const IV_LENGTH = 12;
const COUNTER_LENGTH = 4;

/**
 * A content key of this client's session. It is random, made here, wrapped once and kept nowhere, so no one else encrypts with it, and no nonce
 * comes twice (I18): an IV is a running number (4 bytes), which alone makes it unique, and 8 bytes that are random each time, which also keep apart
 * the copies of a process that was frozen and thawed more than once (a virtual machine's snapshot), where the running numbers do repeat.
 */
export class SenderKey {
  readonly #kid: string;
  readonly #wrapped: string;
  readonly #cipher: ContentCipher;
  readonly #randomBytes: (count: number) => Uint8Array;
  readonly #most: number;
  #used = 0;

  private constructor(kid: string, wrapped: string, cipher: ContentCipher, randomBytes: (count: number) => Uint8Array, most: number) {
    this.#kid = kid;
    this.#wrapped = wrapped;
    this.#cipher = cipher;
    this.#randomBytes = randomBytes;
    this.#most = most;
  }

  /** @param most payloads until it is spent */
  static async make(kid: string, key: KeyWrap, engine: Engine, randomBytes: (count: number) => Uint8Array, most = MOST_MESSAGES): Promise<SenderKey> {
    const bytes = Uint8Array.from(randomBytes(32));
    return new SenderKey(kid, toBase64url(await key.wrap(bytes)), await engine.cipher(bytes), randomBytes, most);
  }

  /** Another must take its place. */
  get spent(): boolean { return this.#used >= this.#most; }

  /** The payload as a JWE in compact form (RFC 7516, 7.1). @param payload JSON */
  encrypt(payload: string, binding: Binding): string | Promise<string> {
    const iv = this.#nextIv();
    const header = headerOf(this.#kid, binding);
    const head = `${header}.${this.#wrapped}.${toBase64url(iv)}.`;
    const rest = this.#cipher.encrypt(iv, header, payload);
    return typeof rest === "string" ? head + rest : rest.then((text) => head + text);
  }

  #nextIv(): Uint8Array {
    if (this.spent) throw new RangeError("the content key is spent");
    const number = this.#used++;
    const iv = new Uint8Array(IV_LENGTH);
    for (let i = 0; i < COUNTER_LENGTH; i++) iv[i] = number >>> (8 * (COUNTER_LENGTH - 1 - i));
    iv.set(this.#randomBytes(IV_LENGTH - COUNTER_LENGTH), COUNTER_LENGTH);
    return iv;
  }
}
