/** By what the page reaches a router: its own socket, one that it shares with other tabs, or none: the router is in the page. */
export type Transport = "websocket" | "shared-worker" | "memory";
/** What the page publishes by itself, for something to look at. */
export type Traffic = "none" | "shop" | "sensors";

/** What the page is at. All of it is in the page's own address, so that it survives a reload and can be sent to a colleague. */
export interface Address {
  readonly panel: string;
  readonly url: string;
  readonly namespace: string;
  readonly transport: Transport;
  readonly pattern: string;
  readonly filter: string;
  readonly from: "now" | "start";
  readonly traffic: Traffic;
  /** Events a second of the traffic. */
  readonly rate: number;
  /** Of the network to the router in the page: ms, in each direction. */
  readonly delay: number;
  /** Of a hundred messages, how many take the connection with them. */
  readonly drop: number;
  /** Which panel's program the code panel shows. */
  readonly of: string;
}

/** Entries of the browser's history that the page itself has made: between them it needs no reload. */
const OWN = { page: "event-router" };

/**
 * The page's address: `#/panel?…`. Behind the `#`, so that no server hears of it. Never in it: a key, a token (also one that somebody wrote into the
 * router's URL), or an event.
 */
export class PageAddress {
  readonly #usual: Address;
  readonly #watchers: (() => void)[] = [];
  #now: Address;

  constructor() {
    this.#usual = usual();
    this.#now = this.#read();
    this.write({});
    addEventListener("popstate", (event) => {
      const own = (event.state as Partial<typeof OWN> | null)?.page === OWN.page;
      // A link that was pasted over this page's own says all anew. A hash such as #rows is only a place in the page.
      if (!own && location.hash.startsWith("#/")) return location.reload();
      this.write(own ? { panel: this.#read().panel } : {});
    });
  }

  get now(): Address { return this.#now; }

  /** Called after each change. */
  onChange(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  /** @param step the browser's back button leads to what was before. */
  write(change: Partial<Address>, step = false): void {
    this.#now = { ...this.#now, ...change };
    history[step ? "pushState" : "replaceState"](OWN, "", this.link({}));
    for (const watcher of this.#watchers) watcher();
  }

  /** The page's URL as it would be with these changes. Only what differs from the usual is in it. */
  link(change: Partial<Address>): string {
    const { panel, ...values } = { ...this.#now, ...change };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...values, url: withoutSecrets(values.url) })) if (value !== this.#usual[name as keyof Address]) query.set(name, String(value));
    return `${location.pathname}#/${panel}${query.size > 0 ? `?${query}` : ""}`;
  }

  #read(): Address {
    const [, panel = "", hash = ""] = /^#\/([\w-]*)(?:\?(.*))?$/.exec(location.hash) ?? [];
    const query = new URLSearchParams(hash);
    const text = (name: "url" | "namespace" | "pattern" | "filter" | "of"): string => query.get(name) ?? this.#usual[name];
    const one = <T extends string>(name: keyof Address, of: readonly T[], or: T): T => of.find((value) => value === query.get(name)) ?? or;
    return {
      panel: panel === "" ? this.#usual.panel : panel,
      url: withoutSecrets(text("url")), namespace: text("namespace"), pattern: text("pattern"), filter: text("filter"), of: text("of"),
      from: one("from", ["now", "start"], "now"),
      transport: one("transport", ["websocket", "shared-worker", "memory"], this.#usual.transport),
      traffic: one("traffic", ["none", "shop", "sensors"], "none"),
      rate: within(query.get("rate"), 1, 200, this.#usual.rate), delay: within(query.get("delay"), 0, 2_000, 0), drop: within(query.get("drop"), 0, 50, 0),
    };
  }
}

/** The router that served the page. */
function usual(): Address {
  return {
    panel: "live",
    url: location.protocol.startsWith("http") ? location.origin.replace(/^http/, "ws") : "ws://127.0.0.1:8080",
    namespace: "default",
    // A page that was built to stand alone (`npm run build:static`) says so.
    transport: document.querySelector("meta[name=router]")?.getAttribute("content") === "in-page" ? "memory" : "websocket",
    pattern: "**", filter: "", from: "now", traffic: "none", rate: 5, delay: 0, drop: 0, of: "live",
  };
}

/** A router's URL without what may be a secret: a user and password, and what is behind `?` or `#`. */
export function withoutSecrets(url: string): string {
  return url.replace(/[?#].*$/s, "").replace(/^(\w+:)?\/\/[^/]*@/, "$1//");
}

function within(text: string | null, least: number, most: number, or: number): number {
  const value = text === null ? NaN : Number(text);
  return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : or;
}
