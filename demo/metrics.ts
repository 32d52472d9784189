import type { Activity } from "./activity.ts";
import { SPAN, TimeChart, type Line } from "./chart.ts";
import { find, make, setText } from "./dom.ts";
import { bytes, clockTime, count, decimal, measure } from "./format.ts";
import type { RouterSession } from "./session.ts";

type Reading = Readonly<Record<string, unknown>>;

interface Metric {
  readonly type: string;
  readonly title: string;
  readonly unit: string;
  readonly max?: number;
  readonly least?: number;
  /** The first is the big figure. */
  readonly lines: readonly (Line & { readonly field: string })[];
  figure(value: number): string;
  facts(reading: Reading): readonly string[];
}

/** What the router tells of its machine each second. */
const metrics: readonly Metric[] = [
  {
    type: "system.cpu", title: "CPU", unit: "%", max: 100, figure: decimal,
    lines: [{ field: "percent", label: "busy", color: "--chart-cpu", area: true }],
    facts: (reading) => [part(reading.cores, (cores) => `${count(cores)} ${cores === 1 ? "core" : "cores"}`), part(reading.load1, (load) => `load ${measure(load)}`)],
  },
  {
    type: "system.memory", title: "Memory", unit: "%", max: 100, figure: decimal,
    lines: [{ field: "percent", label: "used", color: "--chart-memory", area: true }],
    facts: (reading) => [part(reading.used, (used) => `${bytes(used)}${part(reading.total, (total) => ` of ${bytes(total)}`)}`), part(reading.rss, (rss) => `router ${bytes(rss)}`)],
  },
  {
    type: "system.loop", title: "Event loop delay", unit: "ms", least: 5, figure: measure,
    lines: [{ field: "p99", label: "p99", color: "--chart-loop", area: true }, { field: "mean", label: "mean", color: "--chart-mean" }],
    facts: (reading) => [part(reading.p99, () => "p99"), part(reading.mean, (mean) => `mean ${measure(mean)}`), part(reading.max, (max) => `max ${measure(max)}`)],
  },
];

/** How long the page waits for a first reading before it says that there are none. */
const PATIENCE = 2_500;

/** Charts of the machine the router runs on: the last five minutes, then live. */
export function setUpMetrics(session: RouterSession, activity: Activity): { restyle(): void } {
  const grid = find("metrics", HTMLElement);
  const empty = find("metrics-empty", HTMLElement);
  const emptyTitle = find("metrics-empty-title", HTMLElement);
  const emptyHint = find("metrics-empty-hint", HTMLElement);
  const section = grid.closest<HTMLElement>(".metrics")!;
  const tiles = new Map(metrics.map((metric) => [metric.type, createTile(metric, grid)]));
  let readings = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;

  session.use((client) => {
    readings = 0;
    // A page has no machine of its own to tell of.
    section.hidden = session.transport === "memory";
    empty.hidden = false;
    emptyHint.hidden = true;
    setText(emptyTitle, "Waiting for the machine's metrics …");
    for (const tile of tiles.values()) tile.clear();
    const since = new Date(Date.now() - SPAN * 1_000);
    const subscription = client.on([...tiles.keys()], { from: since }, (event) => {
      if (readings++ === 0) empty.hidden = true;
      tiles.get(event.type)?.take(event.timestamp, event.payload as Reading | null);
    });
    subscription.ready.then(() => {
      waiting = setTimeout(() => {
        emptyHint.hidden = false;
        setText(emptyTitle, "No machine metrics in this namespace yet.");
      }, PATIENCE);
    }, (thrown: unknown) => {
      if (client !== session.client) return;
      section.hidden = true;
      // A connection that was refused is told once, where it was made.
      if (client.state !== "closed") activity.error(thrown, "following the metrics");
    });
    return () => clearTimeout(waiting);
  });

  const redraw = () => { for (const tile of tiles.values()) tile.draw(); };
  setInterval(redraw, 1_000);
  return { restyle: redraw };
}

function createTile({ type, title, unit, max, least, lines, figure, facts }: Metric, grid: HTMLElement) {
  const value = make("span", "value", "–");
  const note = make("p", "facts");
  const plot = make("div", "plot");
  plot.setAttribute("role", "img");
  const heading = make("h2", "", title);
  heading.id = `title-${type.replace(".", "-")}`;
  const tile = make("article", "card metric", make("div", "metric-head", heading, make("p", "figure", value, make("span", "unit", unit)), note), plot);
  tile.dataset.type = type;
  tile.setAttribute("aria-labelledby", heading.id);
  grid.append(tile);

  let latest: Reading = {};
  let hovering = false;
  const show = () => {
    const now = latest[lines[0]!.field];
    const text = typeof now === "number" ? figure(now) : "–";
    setText(value, text);
    setText(note, facts(latest).filter((fact) => fact !== "").join(" · "));
    plot.setAttribute("aria-label", `${title} over the last five minutes, now ${text} ${unit}`);
  };

  const chart = new TimeChart(plot, {
    lines, axis: (tick) => `${count(tick)}${unit === "%" ? "%" : ""}`,
    ...(max === undefined ? {} : { max }), ...(least === undefined ? {} : { least }),
    hovered(time, values) {
      hovering = time !== undefined;
      if (time === undefined) return show();
      setText(value, typeof values[0] === "number" ? figure(values[0]) : "–");
      setText(note, [`at ${clockTime(new Date(time * 1_000)).slice(0, 8)}`, ...values.slice(1).map((other, i) => part(other, (known) => `${lines[i + 1]!.label} ${measure(known)}`))].join(" · "));
    },
  });
  show();

  return {
    take(timestamp: string, reading: Reading | null): void {
      if (typeof reading !== "object" || reading === null) return;
      latest = reading;
      chart.push(Date.parse(timestamp) / 1_000, lines.map(({ field }) => (typeof reading[field] === "number" ? reading[field] : null)));
      if (!hovering) show();
    },
    clear(): void {
      latest = {};
      chart.clear();
      show();
    },
    draw: () => chart.draw(),
  };
}

/** The text for a number; for anything else, none. */
function part(value: unknown, text: (value: number) => string): string {
  return typeof value === "number" && Number.isFinite(value) ? text(value) : "";
}
