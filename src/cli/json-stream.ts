import { ValidationError } from "../index.ts";
import { parseJson } from "./json-text.ts";

/** UTF-16 units of one value: what is longer is no event, but a bracket that was never closed. */
const LONGEST = 16 * 1024 * 1024;

/**
 * Objects of a JSON text in pieces, one at a time: those of an array, or one after the other (NDJSON), whatever the white space. In memory is one, and the piece it ends in.
 * @throws ValidationError `ERR_JSON` with the line.
 */
export async function* readJsonObjects(chunks: AsyncIterable<string>): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const scan = new Scan();
  for await (const chunk of chunks) for (const text of scan.push(chunk)) yield scan.parse(text);
  scan.end();
}

class Scan {
  #text = "";
  #at = 0;
  #start: number | undefined;
  #depth = 0;
  #inString = false;
  #inArray = false;
  #line = 1;

  /** The objects that have ended, as text. */
  *push(chunk: string): Generator<string> {
    this.#text += chunk;
    for (let found = this.#next(); found !== undefined; found = this.#next()) {
      const end = this.#step(found.character, found.at);
      if (end === undefined) continue;
      yield this.#text.slice(this.#start, end);
      this.#start = undefined;
    }
    // Only the object that goes on is still needed.
    const from = this.#start ?? this.#text.length;
    if (this.#text.length - from > LONGEST) throw this.#wrong("an event has no end within 16 MiB");
    this.#text = this.#text.slice(from);
    this.#at -= from;
    if (this.#start !== undefined) this.#start = 0;
  }

  parse(text: string): Readonly<Record<string, unknown>> {
    return parseJson(text, { what: `the event that ends in line ${this.#line}`, hint: "mend the file and try again" }) as Readonly<Record<string, unknown>>;
  }

  end(): void {
    if (this.#start !== undefined || this.#inArray) throw this.#wrong("the text ends too early");
  }

  /** The next character that counts: between objects each, within them those that may end one. */
  #next(): { readonly character: string; readonly at: number } | undefined {
    const find = this.#start === undefined ? /\S|\n/g : /[{}[\]"\\\n]/g;
    find.lastIndex = this.#at;
    const found = find.exec(this.#text);
    const escape = found !== null && this.#start !== undefined && found[0] === "\\";
    if (found === null || (escape && found.index + 1 === this.#text.length)) {
      // What a backslash hides is in the next piece.
      this.#at = found?.index ?? this.#text.length;
      return undefined;
    }
    this.#at = found.index + (escape ? 2 : 1);
    return { character: found[0], at: found.index };
  }

  /** Where the object ends, if it does with this character. */
  #step(character: string, at: number): number | undefined {
    if (character === "\n") this.#line++;
    if (this.#start === undefined) return this.#between(character, at);
    if (character === '"') this.#inString = !this.#inString;
    if (this.#inString) return undefined;
    if (character === "{" || character === "[") this.#depth++;
    if (character === "}" || character === "]") this.#depth--;
    return this.#depth === 0 ? at + 1 : undefined;
  }

  #between(character: string, at: number): undefined {
    if (character === "{") {
      this.#start = at;
      this.#depth = 1;
    } else if (character === "[" && !this.#inArray) this.#inArray = true;
    else if (character === "]" && this.#inArray) this.#inArray = false;
    else if (!/[\s,\ufeff]/.test(character)) throw this.#wrong(`${JSON.stringify(character)} stands where an event begins with {`);
  }

  #wrong(message: string): ValidationError {
    return new ValidationError("ERR_JSON", `line ${this.#line}: ${message}; events are a JSON array, or one object a line`, { details: { line: this.#line } });
  }
}
