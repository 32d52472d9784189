/** Marks a text that had to be written otherwise, to be kept as it is. */
const ESCAPED = "\u0001";

/** Any JavaScript text as one that survives UTF-8, where a lone surrogate has no place; two texts never become one. */
export function toRedisText(text: string): string {
  return text.isWellFormed() && !text.startsWith(ESCAPED) ? text : ESCAPED + JSON.stringify(text);
}

export function fromRedisText(text: string): string {
  return text.startsWith(ESCAPED) ? (JSON.parse(text.slice(1)) as string) : text;
}

/** A namespace as a hash tag: no braces, not empty, and readable where it is plain. */
export function hashTag(namespace: string): string {
  return namespace === "" ? "%" : namespace.replace(/[^A-Za-z0-9_.:\-$/]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
