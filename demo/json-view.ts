import { make } from "./dom.ts";

const tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/g;

/** A value as indented JSON with coloured parts. */
export function jsonView(value: unknown): HTMLPreElement {
  const text = JSON.stringify(value, null, 2);
  const view = make("pre", "json");
  let done = 0;
  for (const found of text.matchAll(tokens)) {
    const [all, string, colon, literal] = found;
    view.append(text.slice(done, found.index));
    if (string === undefined) view.append(make("span", literal === undefined ? "json-number" : "json-literal", all));
    else view.append(make("span", colon === undefined ? "json-text" : "json-name", string), colon ?? "");
    done = found.index + all.length;
  }
  view.append(text.slice(done));
  return view;
}
