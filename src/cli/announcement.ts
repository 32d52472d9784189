/** What a started router tells of itself. */
export interface Announcement {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly store: string;
  /** The ways to say who one is, as `api_key, jwt`; or `none`. */
  readonly auth: string;
  /** `own`: a page of somebody's own is in its place. `missing`: it is wanted but not built. */
  readonly playground: "served" | "own" | "missing" | "off";
  readonly systemMetrics: boolean;
  readonly loopback: boolean;
}

/** For people. */
export function announcementText({ version, url, store, auth, playground, systemMetrics, loopback }: Announcement): string {
  const page = { served: `${url}/`, own: `${url}/`, missing: "not built; type `npm run build:playground`", off: "off" }[playground];
  const who = auth !== "none" ? auth.replace("api_key", "API key").replace("jwt", "token (JWT)").replace("mtls", "client certificate") : loopback ? "none: whoever is on this machine" : "none: EVERYBODY who reaches this address";
  const rows = [
    [playground === "own" ? "Page" : "Playground", page], ["WebSocket", websocketUrl(url)], ["HTTP", `${url}/api/v1`], ["Store", store], ["Auth", who],
    ...(systemMetrics ? [["Metrics", "system.cpu, system.memory, system.loop each second"]] : []),
  ];
  return [`Event Router ${version} is listening`, ...rows.map(([name, value]) => `  ${name!.padEnd(11)} ${value}`), "Ctrl-C stops it."].join("\n");
}

/** For machines. */
export function announcementFields({ version, host, port, url, store, auth, playground, systemMetrics }: Announcement): Record<string, unknown> {
  return { status: "listening", version, host, port, url, websocket_url: websocketUrl(url), store, auth, playground: playground === "served" || playground === "own" ? `${url}/` : null, system_metrics: systemMetrics, pid: process.pid };
}

function websocketUrl(url: string): string {
  return url.replace(/^http/, "ws");
}
