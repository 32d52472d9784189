import { EventRouterClient, type ClientState } from "../src/index.ts";

/** Work of one panel with one client. What it returns is called when that client goes. */
export type Use = (client: EventRouterClient) => () => void;

/** The page's client: another one for each address. Panels say once what they do with a client, and do it with each that comes. */
export class RouterSession {
  readonly #report: (thrown: unknown, doing: string) => void;
  readonly #uses: Use[] = [];
  readonly #watchers: ((state: ClientState) => void)[] = [];
  #endings: (() => void)[] = [];
  #client: EventRouterClient | undefined;
  #target: { readonly url: string; readonly namespace: string } | undefined;

  /** @param report hears what no one else has handled. */
  constructor(report: (thrown: unknown, doing: string) => void) {
    this.#report = report;
  }

  /** The present client, if the user wants to be connected. */
  get client(): EventRouterClient | undefined { return this.#client; }
  get target(): { readonly url: string; readonly namespace: string } | undefined { return this.#target; }
  get state(): ClientState { return this.#client?.state ?? "idle"; }

  /** Does it with the present client and with each to come. */
  use(use: Use): void {
    this.#uses.push(use);
    if (this.#client !== undefined) this.#endings.push(use(this.#client));
  }

  onStateChange(watcher: (state: ClientState) => void): void {
    this.#watchers.push(watcher);
  }

  /**
   * Leaves the present router and connects to this one. Later losses heal by themselves.
   * @throws ValidationError if the address is none.
   */
  open(url: string, namespace: string): void {
    this.close();
    const client = new EventRouterClient({ transport: "websocket", url, namespace, name: "playground" });
    this.#client = client;
    this.#target = { url, namespace };
    client.onError((error) => this.#report(error, "in the background"));
    client.onStateChange(() => { if (client === this.#client) this.#tell(); });
    for (const use of this.#uses) this.#endings.push(use(client));
    client.connect().catch(() => {
      // It goes on trying, or has told onError why not.
    });
    this.#tell();
  }

  close(): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    this.#target = undefined;
    for (const end of this.#endings.splice(0)) end();
    client.close().catch((thrown: unknown) => this.#report(thrown, "disconnecting"));
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher(this.state);
  }
}
