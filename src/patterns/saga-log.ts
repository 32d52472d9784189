import type { Client } from "../client/client.ts";
import type { Tools } from "../client/failure-options.ts";
import type { EventInit } from "../core/event.ts";
import { read } from "./event-stream-work.ts";
import type { SagaRecord } from "./saga-record.ts";

/** What ends up in the log with a record. */
export type SagaEventInit = Omit<EventInit, "id" | "stream">;

/** A record, and its place in the instance's event stream. */
export interface Stored { readonly record: SagaRecord; readonly version: number }

const MOST_STREAM = 128;
const MOST_ID = 128;

/** The instances of one saga in the log: each is an event stream of its records, of which the last says all. */
export class SagaLog {
  readonly #client: Client;
  readonly #tools: Tools;
  readonly #name: string;

  constructor(client: Client, tools: Tools, name: string) {
    this.#client = client;
    this.#tools = tools;
    this.#name = name;
  }

  async load(key: string): Promise<Stored | undefined> {
    for await (const { payload, version } of read({ client: this.#client, tools: this.#tools, stream: this.#streamOf(key) }, { direction: "backward", limit: 1 })) return { record: payload as SagaRecord, version: version! };
    return undefined;
  }

  /**
   * Appends a record, and what was published with it, all or none, if no one has appended another since `before`.
   * @param cause the id of the event that brought it about; with `part` it makes the ids, so that the same step stores nothing twice.
   * @throws ConflictError if someone has.
   */
  async append(what: string, record: SagaRecord, before: Stored | undefined, cause: string, part: string, published: readonly SagaEventInit[] = []): Promise<Stored> {
    const stream = this.#streamOf(record.key);
    const events = published.map((event, i) => ({ ...event, id: this.idOf(cause, `${part}${i}`) }));
    const own = { id: this.idOf(cause, part), type: `saga.${this.#name}.${what}`, payload: record, stream, correlationId: correlationOf(record.key) };
    const receipts = await this.#client.publishEvents([...events, own], { expect: { stream, version: before?.version ?? "no-stream" } });
    return { record, version: receipts.at(-1)!.version! };
  }

  /** The same for the same cause and part, whoever makes it. */
  idOf(cause: string, part: string): string {
    const tail = `:${this.#name}:${part}`;
    return (cause.length + tail.length <= MOST_ID ? cause : `h_${hash(cause)}`) + tail;
  }

  #streamOf(key: string): string {
    const plain = `saga:${this.#name}:${key}`;
    return plain.length <= MOST_STREAM && /^[\w.@-]+$/.test(key) ? plain : `saga:${this.#name}::${hash(key)}`;
  }
}

/** A key is any text; a correlation id has a length, and no control characters. */
export function correlationOf(key: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return key !== "" && key.length <= 256 && !/[\u0000-\u001f\u007f]/.test(key) ? key : hash(key);
}

/** 128 bits of a text (cyrb128, public domain), for names that would be too long: not secret, and not for an enemy's texts. */
function hash(text: string): string {
  let [a, b, c, d] = [1779033703, 3144134277, 1013904242, 2773480762];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ code, 597399067);
    b = c ^ Math.imul(b ^ code, 2869860233);
    c = d ^ Math.imul(c ^ code, 951274213);
    d = a ^ Math.imul(d ^ code, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  return [a ^ b ^ c ^ d, b ^ a, c ^ a, d ^ a].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}
