/** What a terminal would take for a command, as visible text: events and messages come from strangers. */
export function safe(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, escaped);
}

/** JSON in one line, with a space behind `:` and `,`, for people. */
export function readable(value: unknown): string {
  // Text within JSON holds no line breaks of its own, so each one here separates.
  return ascii(JSON.stringify(value, null, 1)).replace(/([[{])\n\s*|\n\s*([\]}])|\n\s*/g, (_, open?: string, close?: string) => open ?? close ?? " ");
}

/** JSON for machines. */
export function json(value: unknown): string {
  return ascii(JSON.stringify(value));
}

/** JSON leaves DEL and the C1 controls as they are, and a terminal may obey them. */
function ascii(text: string): string {
  return text.replace(/[\u007f-\u009f]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The names of an object as REST and the CLI write them, its values untouched. */
export function snakeCase(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]));
}
