/** By what the page reaches a router: its own socket, one that it shares with other tabs, or none: the router is in the page. */
export type Transport = "websocket" | "shared-worker" | "memory";

/** Which router and namespace the page talks to, and what its tail shows. Kept in the page's own address, so that it survives a reload and can be sent to a colleague. */
export interface Address {
  readonly url: string;
  readonly namespace: string;
  readonly pattern: string;
  readonly filter: string;
  readonly from: "now" | "start";
  readonly transport: Transport;
}

/** The router that served the page. */
const home = (): Address => ({
  url: location.protocol.startsWith("http") ? location.origin.replace(/^http/, "ws") : "ws://127.0.0.1:8080",
  namespace: "default",
  pattern: "**",
  filter: "",
  from: "now",
  // A page that was built to stand alone (`npm run build:static`) says so.
  transport: document.querySelector("meta[name=router]")?.getAttribute("content") === "in-page" ? "memory" : "websocket",
});

export function readAddress(): Address {
  const query = new URLSearchParams(location.search);
  const usual = home();
  return {
    url: query.get("url") ?? usual.url,
    namespace: query.get("namespace") ?? usual.namespace,
    pattern: query.get("pattern") ?? usual.pattern,
    filter: query.get("filter") ?? usual.filter,
    from: query.get("from") === "start" ? "start" : "now",
    transport: (["websocket", "shared-worker", "memory"] as const).find((name) => name === query.get("transport")) ?? usual.transport,
  };
}

/** Only what differs from the usual is written. */
export function writeAddress(change: Partial<Address>): void {
  const usual: Readonly<Record<string, string>> = { ...home() };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries<string>({ ...readAddress(), ...change })) if (value !== usual[name]) query.set(name, value);
  const search = query.toString();
  history.replaceState(null, "", `${location.pathname}${search === "" ? "" : `?${search}`}${location.hash}`);
}
