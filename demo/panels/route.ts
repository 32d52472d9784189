/** Which panel is on show, and the faults of the network: after the `#`, so that no server hears of it. Never a key. */
export interface Route {
  readonly panel: string;
  /** ms, in each direction. */
  readonly delay: number;
  /** Of a hundred messages, how many take the connection with them. */
  readonly drop: number;
}

export function readRoute(): Route {
  const [, panel = "", query = ""] = /^#\/([\w-]*)(?:\?(.*))?$/.exec(location.hash) ?? [];
  const values = new URLSearchParams(query);
  return { panel, delay: within(values.get("delay"), 2_000), drop: within(values.get("drop"), 50) };
}

/** Only what is not usual is written. */
export function writeRoute(change: Partial<Route>): void {
  const { panel, delay, drop } = { ...readRoute(), ...change };
  const values = new URLSearchParams();
  if (delay > 0) values.set("delay", String(delay));
  if (drop > 0) values.set("drop", String(drop));
  history.replaceState(null, "", `${location.pathname}${location.search}#/${panel}${values.size > 0 ? `?${values}` : ""}`);
}

function within(text: string | null, most: number): number {
  const value = Number(text);
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), most) : 0;
}
