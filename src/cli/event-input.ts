import { open } from "node:fs/promises";
import { ValidationError, type EventInit } from "../index.ts";
import { readCsv } from "./csv.ts";
import type { FormatName } from "./export-format.ts";
import { readJsonObjects } from "./json-stream.ts";
import type { Shell } from "./shell.ts";

/** What of an exported event its publisher said, under the names that the client uses. */
const fields: Readonly<Record<string, string>> = { id: "id", type: "type", payload: "payload", source: "source", target: "target", priority: "priority", correlation_id: "correlationId", headers: "headers", stream: "stream", ttl: "ttl" };
/** What the router says anew of each event that is published to it. */
const stamps: ReadonlySet<string> = new Set(["seq", "epoch", "timestamp", "publisher", "version"]);

/** Events of a file, or of standard input if it is "-", and how many of its bytes are read. In memory are a few. */
export class EventInput {
  readonly #file: string;
  readonly #format: FormatName;
  readonly #shell: Pick<Shell, "input">;
  bytes = 0;

  constructor(file: string, format: FormatName, shell: Pick<Shell, "input">) {
    this.#file = file;
    this.#format = format;
    this.#shell = shell;
  }

  /** @throws ValidationError that names the line, row or event; what the file system says. */
  async *events(): AsyncGenerator<EventInit> {
    let number = 0;
    const text = this.#text();
    for await (const record of this.#format === "csv" ? readCsv(text) : readJsonObjects(text)) yield eventOf(record, ++number);
  }

  async *#text(): AsyncGenerator<string> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for await (const chunk of this.#chunks()) {
      this.bytes += chunk.length;
      yield decode(decoder, chunk);
    }
    yield decode(decoder);
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    if (this.#file === "-") return yield* this.#shell.input;
    await using file = await open(this.#file);
    yield* file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
  }
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new ValidationError("ERR_ENCODING", "the input is not UTF-8 text; is it compressed?", { cause });
  }
}

/** An event as it was exported, for publishing: with its id, so that the router stores it once. */
export function eventOf(record: Readonly<Record<string, unknown>>, number: number): EventInit {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field !== undefined) event[field] = value;
    else if (!stamps.has(name)) throw new ValidationError("ERR_EVENT", `event ${number} has "${name}", which is no field of an event; there are ${Object.keys(fields).join(", ")}`);
  }
  if (typeof event.type !== "string") throw new ValidationError("ERR_EVENT", `event ${number} has no type; an event is as {"type": "user.created", "payload": {"id": 123}}`);
  return event as unknown as EventInit;
}
