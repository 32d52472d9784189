type Expected = "value" | "value or end" | "name" | "name or end" | "colon" | "comma or end" | "nothing";

/** Where a text stops being JSON; its length if it only ends too early. V8 tells this for some mistakes, other engines for none. */
export function jsonBreaksAt(text: string): number {
  // oxlint-disable-next-line no-control-regex -- JSON forbids them in a text
  const token = /([{}[\]:,])|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*(")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
  const blank = /[ \t\r\n]*/y;
  const open: string[] = [];
  let expected: Expected | undefined = "value";
  let at = 0;
  for (;;) {
    blank.lastIndex = at;
    at += blank.exec(text)![0].length;
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) return at;
    expected = step(expected, found[1] ?? (found[2] === undefined ? "literal" : "text"), open);
    if (expected === undefined) return at;
    at = token.lastIndex;
  }
}

/** What may follow, undefined if the token may not stand here. */
function step(expected: Expected, token: string, open: string[]): Expected | undefined {
  const ended = (): Expected => (open.length === 0 ? "nothing" : "comma or end");
  const closes = (bracket: string): Expected | undefined => (open.pop() === bracket ? ended() : undefined);
  switch (expected) {
    case "value or end":
      return token === "]" ? closes("[") : step("value", token, open);
    case "value":
      if (token === "text" || token === "literal") return ended();
      if (token !== "{" && token !== "[") return undefined;
      open.push(token);
      return token === "{" ? "name or end" : "value or end";
    case "name or end":
      return token === "}" ? closes("{") : step("name", token, open);
    case "name":
      return token === "text" ? "colon" : undefined;
    case "colon":
      return token === ":" ? "value" : undefined;
    case "comma or end":
      if (token === ",") return open.at(-1) === "{" ? "name" : "value";
      return token === "}" ? closes("{") : token === "]" ? closes("[") : undefined;
    case "nothing":
      return undefined;
  }
}
