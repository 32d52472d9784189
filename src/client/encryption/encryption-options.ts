/** 32 bytes, base64 or base64url of 32 bytes, or a CryptoKey for AES-KW, which need not be extractable. */
export type EncryptionKey = Uint8Array | string | CryptoKey;

/**
 * End-to-end encryption of payloads. Who has no key sees type, id, size, time and the other fields, never a payload.
 * @example
 * new EventRouterClient({ encryption: { enabled: true, key } });
 * new EventRouterClient({ encryption: { enabled: true, keys: { "2026-10": old, "2026-11": current }, activeKey: "2026-11" } });
 */
export interface EncryptionOptions {
  /** Whether payloads are encrypted when they are published; default true. What comes encrypted is opened either way. */
  readonly enabled?: boolean;
  readonly algorithm?: "AES-256-GCM";
  /** The one key, under the name `default`. */
  readonly key?: EncryptionKey;
  /** Keys by their names, which travel in the clear (1–64 characters of `A-Z a-z 0-9 _ . : -`): those no longer used still open what was encrypted with them. */
  readonly keys?: Readonly<Record<string, EncryptionKey>>;
  /** The one of `keys` to encrypt with. */
  readonly activeKey?: string;
  /** Types whose payloads are encrypted, as patterns; default: all. */
  readonly types?: readonly string[];
  /** Types that are never in the clear, as patterns: publishing one without a key is refused, and one that arrives in the clear never reaches a handler. */
  readonly required?: readonly string[];
}
