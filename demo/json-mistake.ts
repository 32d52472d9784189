/** Why a text is no JSON, and where. */
export interface JsonMistake {
  readonly message: string;
  /** Offset in the text. */
  readonly at: number;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The line it is in, shortened round the place, and below it a mark. */
  readonly excerpt: string;
}

/**
 * What is wrong with a JSON text, said the same in every browser (their own messages differ, and Safari's name no place).
 * @returns undefined if nothing is.
 */
export function findJsonMistake(text: string): JsonMistake | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (thrown) {
    const place = scan(text) ?? { at: 0, message: thrown instanceof Error ? thrown.message : "this is not JSON" };
    return locate(text, place.at, place.message);
  }
}

function locate(text: string, at: number, message: string): JsonMistake {
  const begin = text.lastIndexOf("\n", at - 1) + 1;
  const end = text.indexOf("\n", at);
  const column = at - begin;
  const cut = Math.max(0, column - 24);
  const shown = text.slice(begin + cut, Math.min(end === -1 ? text.length : end, begin + cut + 48)).replaceAll("\t", " ");
  return {
    message, at, column: column + 1, line: text.slice(0, begin).split("\n").length,
    excerpt: `${cut > 0 ? "…" : ""}${shown}\n${" ".repeat(column - cut + (cut > 0 ? 1 : 0))}↑`,
  };
}

class Mistake extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

function scan(text: string): { readonly at: number; readonly message: string } | undefined {
  let at = 0;
  const fail = (message: string, place = at): never => { throw new Mistake(place, message); };
  const space = (): void => {
    while (at < text.length && " \t\r\n".includes(text[at]!)) at++;
    if (text.startsWith("//", at) || text.startsWith("/*", at)) fail("JSON has no comments");
  };
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? "";
  };

  function value(): void {
    space();
    const first = text[at];
    if (first === undefined) fail(text.trim() === "" ? "a JSON value is missing; write {} for an empty object" : "the text ends here, but a value is missing");
    else if (first === "{") members("}", () => {
      space();
      if (text[at] !== '"') fail(/[A-Za-z_$']/.test(text[at] ?? "") ? 'a name goes in double quotes, as "name"' : "a name in double quotes is missing here");
      string();
      space();
      if (text[at] !== ":") fail("a colon is missing between name and value");
      at++;
      value();
    });
    else if (first === "[") members("]", value);
    else if (first === '"') string();
    else if (/[-\d.+]/.test(first)) number();
    else word(first);
  }

  function members(close: "}" | "]", member: () => void): void {
    const open = at++;
    space();
    if (text[at] === close) return void at++;
    for (;;) {
      member();
      space();
      if (text[at] === close) return void at++;
      if (text[at] === undefined) fail(`the text ends, but this ${text[open]!} is not closed; ${close} is missing`, open);
      if (text[at] !== ",") fail(/[}\]]/.test(text[at]!) ? `this ${text[at]!} does not close the ${text[open]!}; ${close} is missing` : `a comma or ${close} is missing before this`);
      const comma = at++;
      space();
      if (text[at] === close) fail(`nothing follows this comma; remove it`, comma);
    }
  }

  function string(): void {
    const open = at++;
    for (;;) {
      const character = text[at];
      if (character === undefined || character === "\n") fail("this text has no closing quote; a line break in it is written \\n", open);
      if (character === '"') return void at++;
      if (character! < " ") fail("a tab or control character goes in as \\t or \\u0001");
      if (character === "\\" && match(/\\(["\\/bfnrt]|u[\da-fA-F]{4})/y) === "") fail('after \\ comes one of " \\ / b f n r t, or u and four hex digits');
      at += character === "\\" ? 2 : 1;
    }
  }

  function number(): void {
    const token = match(/[-+\w.]+/y);
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(token)) fail(`${token} is no JSON number: digits on both sides of the point, no plus, no leading zero`);
    at += token.length;
  }

  function word(first: string): void {
    const token = match(/[A-Za-z_$][\w$]*/y);
    if (token === "true" || token === "false" || token === "null") return void (at += token.length);
    if (first === "'" || first === "`") fail("text goes in double quotes");
    if (first === "," || first === "}" || first === "]" || first === ":") fail("a value is missing here");
    fail(token === "" ? `${first} begins no JSON value` : `${token} is no JSON value; text goes in double quotes`);
  }

  try {
    value();
    space();
    return at < text.length ? { at, message: "the value ended before this; only one value may stand here" } : undefined;
  } catch (thrown) {
    // Anything else is a stack too deep: the engine's own message will do.
    return thrown instanceof Mistake ? thrown : undefined;
  }
}
