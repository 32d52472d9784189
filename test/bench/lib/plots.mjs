// Plots as SVG texts, without a library: they are looked at on a white card of their own, in light and dark pages alike.
import { withUnit } from "./table.mjs";

const WIDTH = 760, NAMES = 250, ROW = 18, OURS = "#1d6fd1", OTHERS = "#9aa5b1", INK = "#24292f", COLOURS = ["#1d6fd1", "#d1541d", "#2b9348", "#8e44ad", "#b8860b", "#c2185b", "#00838f"];
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const label = (x, y, text, more = "") => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(text)}</text>`;

function card(title, height, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}"><rect width="100%" height="100%" rx="6" fill="#fff"/>
${label(12, 20, title, 'font-weight="600"')}
${body.join("\n")}
</svg>
`;
}

/** Bars in groups, each group with a scale of its own; a line from the least to the most of the rounds. */
export function bars(title, groups) {
  const body = [];
  let y = 34;
  for (const group of groups) {
    body.push(label(12, y + 10, group.title, 'font-style="italic"'));
    y += 18;
    const most = Math.max(...group.bars.map((bar) => bar.max));
    const scale = (value) => (value / most) * (WIDTH - NAMES - 70);
    for (const { name, ours, median, min, max } of group.bars) {
      body.push(label(NAMES - 6, y + 12, name, `text-anchor="end"${ours ? ' font-weight="600"' : ""}`));
      body.push(`<rect x="${NAMES}" y="${y + 3}" width="${Math.max(1, scale(median)).toFixed(1)}" height="${ROW - 6}" fill="${ours ? OURS : OTHERS}"/>`);
      body.push(`<path d="M${(NAMES + scale(min)).toFixed(1)} ${y + ROW / 2}H${(NAMES + scale(max)).toFixed(1)}" stroke="${INK}"/>`);
      body.push(label(NAMES + scale(max) + 6, y + 13, withUnit(median)));
      y += ROW;
    }
    y += 8;
  }
  return card(title, y + 6, body);
}

/** Lines over sizes that grow tenfold. */
export function curves(title, lines) {
  const left = 50, top = 40, width = 500, height = 240;
  const sizes = lines.flatMap(({ points }) => points.map(([size]) => size));
  const [least, most] = [Math.log10(Math.min(...sizes)), Math.log10(Math.max(...sizes))];
  const highest = Math.max(2, ...lines.flatMap(({ points }) => points.map(([, cost]) => cost)));
  const x = (size) => left + ((Math.log10(size) - least) / (most - least)) * width;
  const y = (cost) => top + height - (cost / highest) * height;
  const body = [];
  for (let power = least; power <= most; power++) body.push(label(x(10 ** power), top + height + 16, (10 ** power).toLocaleString("en"), 'text-anchor="middle"'));
  for (let cost = 0; cost <= highest; cost += Math.ceil(highest / 5)) body.push(`<path d="M${left} ${y(cost)}h${width}" stroke="#e1e4e8"/>`, label(left - 6, y(cost) + 4, String(cost), 'text-anchor="end"'));
  for (const [i, { name, points }] of lines.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    body.push(`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.map(([size, cost]) => `${x(size).toFixed(1)},${y(cost).toFixed(1)}`).join(" ")}"/>`);
    body.push(`<rect x="${left + width + 20}" y="${top + i * 20}" width="12" height="12" fill="${colour}"/>`, label(left + width + 38, top + i * 20 + 10, name));
  }
  return card(title, top + height + 30, body);
}
