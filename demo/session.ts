import { EventRouterClient, type ClientState, type EventRouterOptions } from "../src/index.ts";
import { PageAddress, withoutSecrets, type Transport } from "./address.ts";
import { InPageNetwork } from "./in-page-network.ts";
import { createInPageRouter } from "./in-page-router.ts";
import { NetworkSwitch } from "./network-switch.ts";
import type { Reach } from "./programs.ts";
import { TrafficPlayer } from "./traffic.ts";

/** Work of one panel with one client. What it returns is called when that client goes. */
export type Use = (client: EventRouterClient) => () => void;

/** The page's client: another one for each address. Panels say once what they do with a client, and do it with each that comes. */
export class RouterSession {
  readonly address = new PageAddress();
  readonly network = new NetworkSwitch();
  readonly inPage = new InPageNetwork(createInPageRouter());
  readonly traffic = new TrafficPlayer(() => this.address.now.rate, () => this.#client);
  readonly #report: (thrown: unknown, doing: string) => void;
  readonly #uses: Use[] = [];
  readonly #watchers: ((state: ClientState) => void)[] = [];
  #endings: (() => void)[] = [];
  #client: EventRouterClient | undefined;
  #target: { readonly url: string; readonly namespace: string } | undefined;
  #transport = this.address.now.transport;
  #key: string | undefined;
  #credential = "";

  /** @param report hears what no one else has handled. */
  constructor(report: (thrown: unknown, doing: string) => void) {
    this.#report = report;
  }

  /** The present client, if the user wants to be connected. */
  get client(): EventRouterClient | undefined { return this.#client; }
  get target(): { readonly url: string; readonly namespace: string } | undefined { return this.#target; }
  get state(): ClientState { return this.#client?.state ?? "idle"; }

  /** How a program reaches the same router. */
  get reach(): Reach {
    const { url, namespace } = this.address.now;
    return { url: withoutSecrets(url), namespace, transport: this.#transport, encrypted: this.#key !== undefined, credential: this.#credential === "" ? "none" : isToken(this.#credential) ? "token" : "key" };
  }

  get transport(): Transport { return this.#transport; }
  /** By what routers are reached from now on; the present one is reached anew. */
  set transport(transport: Transport) {
    this.#transport = transport;
    const target = this.#target;
    if (target !== undefined) this.open(target.url, target.namespace);
  }
  /** Cuts the page off from its router, or no longer. */
  set cut(cut: boolean) { this.network.cut = this.inPage.cut = cut; }

  get encryptionKey(): string | undefined { return this.#key; }
  /** 32 bytes as base64: payloads are encrypted from now on. @throws ValidationError if it is none; then nothing changes. */
  set encryptionKey(key: string | undefined) {
    const before = this.#key;
    const target = this.#target;
    this.#key = key;
    if (target === undefined) return;
    try {
      this.open(target.url, target.namespace);
    } catch (thrown) {
      this.#key = before;
      this.open(target.url, target.namespace);
      throw thrown;
    }
  }

  /** Who the page is: an API key or a token, `""` for nobody. It stays in this object. The router is reached anew. */
  get credential(): string { return this.#credential; }
  set credential(credential: string) {
    this.#credential = credential;
    const target = this.#target;
    if (target !== undefined) this.open(target.url, target.namespace);
  }

  /** What is published without a connection waits; a router in the page has no need of that. */
  get hasOutbox(): boolean { return this.#transport !== "memory"; }

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
    const client = new EventRouterClient({ ...this.#reach(url), namespace, name: "playground", ...authOf(this.#credential), ...(this.#key !== undefined && { encryption: { key: this.#key } }) });
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

  #reach(url: string): EventRouterOptions {
    switch (this.#transport) {
      case "websocket": return { transport: "websocket", url, offline: true, WebSocket: this.network.WebSocket };
      case "shared-worker": return { transport: "shared-worker", url, offline: true };
      case "memory": return { transport: "websocket", url: "ws://in-page.invalid", WebSocket: this.inPage.WebSocket };
    }
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher(this.state);
  }
}

function authOf(credential: string): Pick<EventRouterOptions, "auth"> {
  if (credential === "") return {};
  return { auth: isToken(credential) ? { type: "jwt", token: credential } : { type: "api_key", key: credential } };
}

/** A JSON Web Token has three parts; an API key `id.secret` has two, or is one word. */
function isToken(credential: string): boolean {
  return credential.split(".").length === 3;
}
