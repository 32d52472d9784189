/**
 * Text as it is bound to a statement. SQLite's text is UTF-8, in which lone surrogates all become U+FFFD, and Deno 2.9 reads a text only up to its first
 * NUL: names that differ would meet, so these are written as JSON behind a mark. Everything else stays readable as it is.
 */
export const MARK = "\u0001";

export function toSqlText(text: string): string {
  return text.isWellFormed() && !text.includes("\0") && !text.startsWith(MARK) ? text : MARK + JSON.stringify(text);
}

export function fromSqlText(text: string): string {
  return text.startsWith(MARK) ? (JSON.parse(text.slice(MARK.length)) as string) : text;
}
