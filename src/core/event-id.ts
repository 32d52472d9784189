/**
 * Ids that sort by time and tell a repeat cheaply: `evt_` + time (8) + instance (11) + number (6), in base 62 digits that are in ASCII order.
 * The instance (65 random bits) is one connection of one client, the number runs from 1 in the order of publishing. So a store that has seen number n
 * of an instance has seen all before it, and keeps one number per instance instead of all ids (as the producer epoch and sequence of Durable Streams).
 */
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export const INSTANCE_LENGTH = 11;
const NUMBER_LENGTH = 6;

function base62(value: number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    text = digits[value % 62] + text;
    value = Math.floor(value / 62);
  }
  return text;
}

/** Text of base 62 digits from random bytes. 248 = 4 × 62, bytes above it are left out, so that no digit is likelier. */
export function randomText(length: number, randomBytes: (count: number) => Uint8Array): string {
  let text = "";
  while (text.length < length) for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += digits[byte % 62];
  return text;
}

/** Makes the ids of one instance. */
export function eventIds(instance: string, now: () => number): () => string {
  let number = 0;
  let time = -1;
  let head = "";
  return () => {
    // A clock that is set back must not bring ids out of order.
    const t = Math.max(now(), time);
    if (t !== time) {
      time = t;
      head = `evt_${base62(t, 8)}${instance}`;
    }
    return head + base62(++number, NUMBER_LENGTH);
  };
}

const shape = /^evt_[0-9A-Za-z]{25}$/;

/** The instance and number inside an id; undefined if the id was made by other means. */
export function parseEventId(id: string): { instance: string; number: number } | undefined {
  if (id.length !== 29 || !shape.test(id)) return undefined;
  let number = 0;
  for (let i = 23; i < 29; i++) number = number * 62 + digitValue(id.charCodeAt(i));
  return { instance: id.slice(12, 23), number };
}

function digitValue(code: number): number {
  return code < 58 ? code - 48 : code < 91 ? code - 55 : code - 61;
}
