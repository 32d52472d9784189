import { PermissionError, type EventRouterError } from "../core/errors.ts";

/** Whom a server answers. */
export interface GateOptions {
  /** Origins of pages that may use the router besides its own, as `https://app.example.com`. */
  readonly origins: readonly string[];
  /** Names under which the server may be addressed; undefined: any. For a server that trusts whoever reaches it. */
  readonly hosts: readonly string[] | undefined;
}

/**
 * Keeps foreign web pages out: a browser tells where a page is from, and any page may try to reach a router on its reader's own machine. Whoever sends no
 * `Origin` is no page. Where names are given, a page that got its own name to point here (DNS rebinding) is refused as well.
 * @returns why the request is refused; undefined if it is not.
 */
export function gate({ origins, hosts }: GateOptions): (origin: string | undefined, host: string | undefined) => EventRouterError | undefined {
  return (origin, host) => {
    if (hosts !== undefined && !isNamed(host, hosts)) {
      return new PermissionError("ERR_HOST", `this router asks for no credential, so it answers only to ${hosts.join(", ")}; use one of these names, or start it with API keys or a policy`);
    }
    if (origin === undefined || origins.includes(origin) || isOwn(origin, host)) return undefined;
    return new PermissionError("ERR_ORIGIN", `pages of ${origin.slice(0, 200)} may not use this router; add the origin to \`origins\` when starting it`);
  };
}

function isNamed(host: string | undefined, hosts: readonly string[]): boolean {
  const name = host?.replace(/:\d+$/, "").toLowerCase();
  return name !== undefined && (hosts.includes(name) || name.endsWith(".localhost"));
}

/** Whether the page was served from here. An opaque origin, `null`, is nobody's. */
function isOwn(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: own } = new URL(origin);
  const here = `${protocol}//${host}`;
  return URL.canParse(here) && new URL(here).host === own;
}
