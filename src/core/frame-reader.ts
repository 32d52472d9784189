import { ValidationError } from "./errors.ts";

/** A malformed frame: the peer does not speak this protocol, so its session ends. */
export function malformed(what: string, cause?: unknown): ValidationError {
  return new ValidationError("ERR_FRAME", `malformed frame: ${what}`, cause === undefined ? {} : { cause });
}

/** The frames of one message, one after another, and the raw lines that follow some of them. */
export class FrameReader {
  readonly #lines: readonly string[];
  #next = 0;

  constructor(message: string) {
    this.#lines = message.split("\n");
  }

  /** The next frame, a non-empty array that begins with its name; undefined at the end. */
  frame(): readonly [string, ...unknown[]] | undefined {
    const line = this.#lines[this.#next];
    if (line === undefined) return undefined;
    this.#next++;
    let frame: unknown;
    try {
      frame = JSON.parse(line);
    } catch (cause) {
      throw malformed("not JSON", cause);
    }
    if (!Array.isArray(frame) || typeof frame[0] !== "string") throw malformed("not an array that begins with a name");
    return frame as [string, ...unknown[]];
  }

  /** The frame just read, as it came. */
  get line(): string { return this.#lines[this.#next - 1]!; }

  /** The raw lines that belong to the frame just read. */
  raw(count: number): readonly string[] {
    const lines = this.#lines.slice(this.#next, this.#next + count);
    if (lines.length < count) throw malformed(`${count} lines announced, ${lines.length} there`);
    this.#next += count;
    return lines;
  }
}

/** A whole number from 0 to 2^53 - 1. */
export function count(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(`${name} must be a whole number`);
  return value as number;
}

export function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(`${name} must be an object`);
  return value as Record<string, unknown>;
}

/** A string, or undefined if there is none. */
export function optionalText(value: unknown, name: string): string | undefined {
  if (value !== undefined && typeof value !== "string") throw malformed(`${name} must be a string`);
  return value;
}
