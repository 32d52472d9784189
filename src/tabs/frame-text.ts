/** Frames as text: between two pipes only their numbers change, so what they carry is never parsed or made again. */

/** A frame's name and, if it has one, the number behind it. */
export interface Head {
  readonly name: string;
  readonly id: number;
  /** What comes behind the number, up to the end of the line. */
  readonly rest: string;
}

const HEAD = /^\["([a-z]+)"(?:,(\d+))?/;

/** Undefined if the line is no frame. */
export function headOf(line: string): Head | undefined {
  const match = HEAD.exec(line);
  return match === null ? undefined : { name: match[1]!, id: Number(match[2] ?? -1), rest: line.slice(match[0].length) };
}

/** The lines of a message, one after another, or several in one piece. */
export class LineReader {
  readonly #text: string;
  #next = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get more(): boolean { return this.#next <= this.#text.length; }

  /** The next lines as they are, with what separates them. Undefined if there are not so many. */
  take(count: number): string | undefined {
    let end = this.#next - 1;
    for (let i = 0; i < count; i++) {
      if (end >= this.#text.length) return undefined;
      end = this.#text.indexOf("\n", end + 1);
      if (end === -1) end = this.#text.length;
    }
    const piece = this.#text.slice(this.#next, end);
    this.#next = end + 1;
    return piece;
  }
}

const EV = /^\["ev",\[([\d,]*)\],\[/;
const MIX = '["mix",';

/** An `ev` frame: its subscriptions and its events as they are. */
export interface UniformEvents { readonly subs: readonly number[]; readonly lines: string }
/** A `mix` frame. */
export interface MixedEvents { readonly subs: readonly (readonly number[])[]; readonly lines: readonly string[] }

/** @throws if it is none */
export function readUniform(frame: string): UniformEvents {
  const match = EV.exec(frame);
  if (match === null) throw new SyntaxError("not an ev frame");
  return { subs: match[1] === "" ? [] : match[1]!.split(",").map(Number), lines: frame.slice(match[0].length, -2) };
}

/** @throws if it is none */
export function readMixed(frame: string): MixedEvents {
  // Lists of numbers in a list: the first "]]," is their end.
  const end = frame.indexOf("]],[", MIX.length);
  if (end === -1) throw new SyntaxError("not a mix frame");
  return { subs: JSON.parse(frame.slice(MIX.length, end + 2)) as number[][], lines: splitArrays(frame.slice(end + 4, -2)) };
}

const QUOTE = 34, OPENING = [91, 123], CLOSING = [93, 125];

/** JSON arrays that stand side by side with commas between them, each as it is. */
export function splitArrays(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (OPENING.includes(code)) depth++;
    else if (CLOSING.includes(code) && --depth === 0) {
      parts.push(text.slice(start, i + 1));
      start = i + 2;
      i++;
    }
  }
  return parts;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
