// Fills docs/performance.md with what the benches brought: node test/bench/report.mjs [FILE]. FILE is test-results/bench.json by default, and is kept as
// docs/performance/bench.json; plots are drawn beside it. What stands between `<!-- figures: NAME -->` and `<!-- end -->` is made here, the rest is written by hand.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bars, curves } from "./lib/plots.mjs";
import { median } from "./lib/statistics.mjs";
import { withUnit } from "./lib/table.mjs";

const folder = new URL("../../docs/performance/", import.meta.url);
const page = new URL("../../docs/performance.md", import.meta.url);
const text = readFileSync(process.argv[2] ?? new URL("../../test-results/bench.json", import.meta.url), "utf8");
const { machine, versions, rows } = JSON.parse(text);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("bench.json", folder), text);

/** What each bench shows: its plot's metric with a title, and whether less is better. Others of its metrics are in the table. */
const SHOWN = {
  fanout: { metric: "perSecond", title: "deliveries/s" },
  "client-cpu": { metric: "micros", title: "client CPU µs per delivery", less: true },
  "edge-fanout": { metric: "perSecond", title: "deliveries/s" },
  "edge-publish": { metric: "perSecond", title: "events/s" },
  durable: { metric: "perSecond", title: "events/s" },
  request: { metric: "perSecond", title: "requests/s" },
  "in-process": { metric: "perSecond", title: "events/s" },
  "topic-index": { metric: "perSecond", title: "publishes/s" },
  filter: { metric: "perSecond", title: "matches/s" },
  "catch-up": { metric: "perSecond", title: "events/s" },
  idle: { metric: "bytes", title: "bytes of RSS per connection", less: true },
  tabs: { metric: "roundTrips", title: "round trips/s" },
  encryption: { metric: "sealed", title: "sealed/s" },
  "encryption-browser": { metric: "sealed", title: "sealed/s" },
  "cold-start": { metric: "total", title: "ms to the first event", less: true },
};
const UNITS = {
  perSecond: "a second", serverMicros: "server CPU µs", loadMicros: "load CPU µs", micros: "CPU µs", p50: "p50 ms", p99: "p99 ms", serverBusy: "server busy", loadBusy: "load busy", bytes: "B each", base: "MiB with one", grown: "RSS growth, MiB",
  roundTrips: "round trips/s", deliveries: "deliveries/s", sealed: "sealed/s", opened: "opened/s", total: "ms in all", load: "ms to import", first: "ms from there", busy: "busy",
};
const isOurs = (contender) => /event-router|^ours|TopicIndex|^store/.test(contender) || contender === "Node, memory" || contender === "Node, WebSocket" || contender === "Chromium, WebSocket" || contender === "workerd";

const fillers = {
  machine: () => `${machine.processors} processors (${machine.processor}), ${machine.memory}, ${machine.system}, ${machine.date}. ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}.\n`,
  goals() {
    const judged = rows.flatMap((row) => (row.goals ?? []).map((goal) => ({ ...goal, row })));
    const line = ({ row, metric, against, figure, least, most, met }) => `| ${met ? "met" : "**missed**"} | ${row.bench}, ${row.case} | ${row.contender}: ${UNITS[metric] ?? metric}${against === undefined ? "" : ` × ${against}`} | ${withUnit(figure)} | ${least === undefined ? `≤ ${withUnit(most)}` : `≥ ${withUnit(least)}`} |`;
    const count = judged.filter(({ met }) => met).length;
    return `${count} of ${judged.length} met.\n\n| | where | what | figure | goal |\n| --- | --- | --- | ---: | ---: |\n${judged.map(line).join("\n")}\n`;
  },
  growth,
  size() {
    const line = /^(.*): (\d+) bytes gzip \(budget \d+, goal (\d+)\)$/;
    const sizes = execFileSync(process.execPath, [fileURLToPath(new URL("../size/size.mjs", import.meta.url))], { encoding: "utf8" }).split("\n").map((text) => line.exec(text)).filter((found) => found !== null);
    return `| | bytes, gzip | goal |\n| --- | ---: | ---: |\n${sizes.map(([, name, size, goal]) => `| ${name} | ${Number(size).toLocaleString("en")} | ${Number(goal).toLocaleString("en")} |`).join("\n")}\n`;
  },
};
for (const name of Object.keys(SHOWN)) fillers[name] = () => figuresOf(name);
fillers["topic-index"] = () => `${figuresOf("topic-index")}\n${topicGrowth()}`;

const filled = readFileSync(page, "utf8").replace(/<!-- figures: ([\w-]+) -->[^]*?<!-- end -->/g, (_, name) => `<!-- figures: ${name} -->\n\n${fillers[name]()}\n<!-- end -->`);
writeFileSync(page, filled);
console.log(`${rows.length} rows in ${fileURLToPath(page)}`);

function figuresOf(bench) {
  const own = rows.filter((row) => row.bench === bench);
  const { metric, title, less = false } = SHOWN[bench];
  const cases = [...new Set(own.map((row) => row.case))];
  const groups = cases.map((name) => ({ title: name, bars: own.filter((row) => row.case === name && row.figures[metric] !== undefined).map((row) => ({ name: row.contender, ours: isOurs(row.contender), ...row.figures[metric] })) })).filter((group) => group.bars.length > 0);
  if (groups.length > 0) writeFileSync(new URL(`${bench}.svg`, folder), bars(`${title}${less ? " (less is better)" : ""}`, groups));
  if (own.length === 0) return "Not measured yet.\n";
  const noise = median(own.map((row) => row.otherProcessors ?? 0));
  return `![${title}](performance/${bench}.svg)\n\n${cases.map((name) => tableOf(name, own.filter((row) => row.case === name))).join("\n")}\nMedians of ${Math.min(...own.map((row) => row.rounds))} rounds; other programs kept ${withUnit(noise, 1)} processors busy meanwhile.\n`;
}

function tableOf(name, own) {
  const metrics = [...new Set(own.flatMap((row) => Object.keys(row.figures)))];
  const [main] = metrics;
  const references = own.map((row) => row.contender).filter((one) => own.some((row) => row.ratios[one] !== undefined));
  const line = (row) => `| ${isOurs(row.contender) ? `**${row.contender}**` : row.contender} | ${metrics.map((metric) => withUnit(row.figures[metric]?.median)).join(" | ")} | ${withUnit(row.figures[main]?.min)} – ${withUnit(row.figures[main]?.max)} | ${references.map((one) => withUnit(row.ratios[one]?.[main], 2)).join(" | ")} |`;
  return `| ${name} | ${metrics.map((metric) => UNITS[metric] ?? metric).join(" | ")} | least – most | ${references.map((one) => `× ${one}`).join(" | ")} |\n| --- |${" ---: |".repeat(metrics.length + 1 + references.length)}\n${own.map(line).join("\n")}\n`;
}

/** How much longer a publish takes with ten times the patterns. */
function topicGrowth() {
  const own = rows.filter((row) => row.bench === "topic-index");
  const contenders = [...new Set(own.map((row) => row.contender))];
  const rate = (kind, count, contender) => own.find((row) => row.case === `${kind}, ${count} patterns` && row.contender === contender)?.figures.perSecond.median;
  const line = (kind) => `| ${kind} | ${contenders.map((one) => withUnit(rate(kind, 10_000, one) / rate(kind, 100_000, one), 2)).join(" | ")} |`;
  return `| time from 10,000 to 100,000 patterns (goal of TopicIndex: ≤ 1.30) | ${contenders.join(" | ")} |\n| --- |${" ---: |".repeat(contenders.length)}\n${["exact", "cached", "uncached", "spread"].map(line).join("\n")}\n`;
}

/** Rows `KIND: SIZE`, and how much more each costs than the one before. */
function growth() {
  const own = rows.filter((row) => row.bench === "growth").map((row) => {
    const [kind, size] = row.case.split(": ");
    return { kind, size: Number(size.replaceAll(",", "")), micros: row.figures.micros.median };
  });
  const kinds = [...new Set(own.map(({ kind }) => kind))];
  writeFileSync(new URL("growth.svg", folder), curves("cost against the first row, by how many there are", kinds.map((kind) => {
    const points = own.filter((row) => row.kind === kind);
    return { name: kind, points: points.map(({ size, micros }) => [size, micros / points[0].micros]) };
  })));
  const line = ({ kind, size, micros }, i) => `| ${kind} | ${size.toLocaleString("en")} | ${withUnit(micros)} | ${own[i - 1]?.kind === kind ? withUnit(micros / own[i - 1].micros, 2) : ""} |`;
  return `![cost against the first row](performance/growth.svg)\n\n| what grows | how many | µs each | × row above |\n| --- | ---: | ---: | ---: |\n${own.map(line).join("\n")}\n`;
}
