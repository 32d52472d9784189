import { get, type ClientRequest, type IncomingMessage } from "node:http";

export interface Message { readonly event: string; readonly id: string; readonly data: string }

/** Reads a stream as a browser's `EventSource` does (HTML, 9.2.6), but does not come back by itself. */
export class TestEventSource {
  readonly messages: Message[] = [];
  /** What a browser would send as `Last-Event-ID`. */
  lastEventId = "";
  retry: number | undefined;
  comments = 0;
  ended = false;
  readonly response: Promise<IncomingMessage>;
  readonly #request: ClientRequest;
  #buffer = "";
  #changed: (() => void)[] = [];

  constructor(url: string, headers: Record<string, string> = {}) {
    const opened = Promise.withResolvers<IncomingMessage>();
    this.response = opened.promise;
    this.#request = get(url, { headers, agent: false }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (text: string) => this.#take(text));
      response.on("end", () => { this.ended = true; this.#tell(); });
      response.on("error", () => {});
      opened.resolve(response);
    });
    this.#request.on("error", () => { this.ended = true; this.#tell(); });
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- decoded
  get events(): any[] { return this.messages.filter(({ event }) => event === "message").map(({ data }) => JSON.parse(data)); }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  /** Cuts the connection. */
  cut(): void {
    this.#request.destroy();
  }

  #take(text: string): void {
    this.#buffer += text;
    const blocks = this.#buffer.split("\n\n");
    this.#buffer = blocks.pop()!;
    for (const block of blocks) this.#dispatch(block);
    this.#tell();
  }

  #dispatch(block: string): void {
    let event = "message";
    let data: string | undefined;
    for (const line of block.split("\n")) {
      const [, field, value] = /^([^:]*): ?(.*)$/.exec(line)!;
      if (field === "") this.comments++;
      else if (field === "id") this.lastEventId = value!;
      else if (field === "event") event = value!;
      else if (field === "retry") this.retry = Number(value);
      else if (field === "data") data = data === undefined ? value! : `${data}\n${value!}`;
    }
    if (data !== undefined) this.messages.push({ event, id: this.lastEventId, data });
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
