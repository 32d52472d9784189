import { toBase64url } from "./base64url.ts";
import type { ContentCipher, Engine } from "./engine.ts";
import { HeaderWriter, type Binding } from "./jwe.ts";
import type { KeyWrap } from "./key-wrap.ts";

/** Payloads under one content key: a sixteenth of 2^24, where its numbers end. */
export const MOST_MESSAGES = 2 ** 20;

const IV_LENGTH = 12;
const COUNTER_LENGTH = 3;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Random bytes of one turn of the program, as they are and as base64url. */
interface Turn { readonly bytes: Uint8Array; readonly text: string }

/**
 * A content key of this client's session. It is random, made here, wrapped once and kept nowhere, so no one else encrypts with it, and no nonce
 * comes twice (I18): an IV is a running number (3 bytes), which alone makes it unique, and 9 bytes that are random in each turn of the program. These
 * keep apart the copies of a process that was frozen and thawed more than once (a virtual machine's snapshot), where the running numbers do repeat.
 */
export class SenderKey {
  readonly wrapped: string;
  readonly cipher: ContentCipher;
  readonly headers: HeaderWriter;
  readonly #randomBytes: (count: number) => Uint8Array;
  readonly #most: number;
  #used = 0;
  #turn: Turn | undefined;

  private constructor(kid: string, wrapped: string, cipher: ContentCipher, randomBytes: (count: number) => Uint8Array, most: number) {
    this.headers = new HeaderWriter(kid);
    this.wrapped = wrapped;
    this.cipher = cipher;
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

  /** JSON of the payload as a JWE in compact form (RFC 7516, 7.1). @param payload JSON */
  encrypt(payload: string, binding: Binding): string | Promise<string> {
    if (this.spent) throw new RangeError("the content key is spent");
    const number = this.#used++;
    const turn = this.#turn ?? this.#newTurn();
    const iv = new Uint8Array(IV_LENGTH);
    iv[0] = number >>> 16;
    iv[1] = number >>> 8;
    iv[2] = number;
    iv.set(turn.bytes, COUNTER_LENGTH);
    const header = this.headers.write(binding);
    const head = `"${header}.${this.wrapped}.${DIGITS[number >>> 18]}${DIGITS[(number >>> 12) & 63]}${DIGITS[(number >>> 6) & 63]}${DIGITS[number & 63]}${turn.text}.`;
    const rest = this.cipher.encrypt(iv, header, payload);
    return typeof rest === "string" ? `${head}${rest}"` : rest.then((text) => `${head}${text}"`);
  }

  /** Lasts until what runs now has run: a process is not frozen in the middle of it. */
  #newTurn(): Turn {
    const bytes = this.#randomBytes(IV_LENGTH - COUNTER_LENGTH);
    this.#turn = { bytes, text: toBase64url(bytes) };
    queueMicrotask(() => { this.#turn = undefined; });
    return this.#turn;
  }
}
