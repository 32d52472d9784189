export interface EventSourceListener {
  /** Behind this it will ask to go on. */
  id(id: string): void;
  retry(ms: number): void;
  event(type: string, data: string): void;
}

/** Reads a stream of server-sent events as a browser does (HTML, 9.2.6): what is not ended by an empty line has not come. */
export class EventSource {
  readonly #listener: EventSourceListener;
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id: string | undefined;

  constructor(listener: EventSourceListener) {
    this.#listener = listener;
  }

  take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch();
    const [, field, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line)!;
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#type = value;
    else if (field === "id") this.#id = value;
    else if (field === "retry") this.#listener.retry(Number(value));
  }

  #dispatch(): void {
    if (this.#id !== undefined) this.#listener.id(this.#id);
    if (this.#data.length > 0) this.#listener.event(this.#type, this.#data.join("\n"));
    this.#id = undefined;
    this.#type = "";
    this.#data = [];
  }
}
