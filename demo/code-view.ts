import { make } from "./dom.ts";

const tokens = /(\/\/.*|\/\*\*.*?\*\/)|("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|\b(import|from|await|using|const|let|for|of|while|if|new|class|extends|override|return|this|break|interface|readonly|as|async)\b|\b(true|false|null|undefined)\b|\b(\d[\d_]*(?:\.\d+)?)\b/g;
const names = ["json-name", "json-text", "code-word", "json-literal", "json-number"];

/** TypeScript with coloured parts. */
export function codeView(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let done = 0;
  for (const found of text.matchAll(tokens)) {
    parts.push(text.slice(done, found.index), make("span", names[found.slice(1).findIndex((part) => part !== undefined)] ?? "", found[0]));
    done = found.index + found[0].length;
  }
  parts.push(text.slice(done));
  return parts;
}
