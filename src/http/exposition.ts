/** Figures of one name: a counter only grows, a gauge is what it is, a histogram says how many were at most so large. */
export type Family =
  | { readonly type: "counter" | "gauge"; readonly name: string; readonly help: string; readonly samples: readonly Sample[] }
  | { readonly type: "histogram"; readonly name: string; readonly help: string; readonly samples: readonly HistogramSample[] };

export type Labels = Readonly<Record<string, string>>;
export interface Sample { readonly labels?: Labels; readonly value: number }
export interface HistogramSample {
  readonly labels?: Labels;
  /** Upper bounds, and how many were at most so large, all smaller ones included. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  readonly sum: number;
  readonly count: number;
}

/** Families in Prometheus' text format, 0.0.4. Needs nothing of any runtime, so that each home has the same figures. */
export function exposition(families: readonly Family[]): { readonly type: string; readonly text: string } {
  return { type: "text/plain; version=0.0.4; charset=utf-8", text: families.filter(({ samples }) => samples.length > 0).map(familyText).join("") };
}

function familyText(family: Family): string {
  const { name, type, help } = family;
  const lines = [`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${type}`];
  if (family.type !== "histogram") for (const { labels = {}, value } of family.samples) lines.push(line(name, labels, value));
  else {
    for (const { labels = {}, buckets, sum, count } of family.samples) {
      for (const [bound, below] of buckets) lines.push(line(`${name}_bucket`, { ...labels, le: String(bound) }, below));
      lines.push(line(`${name}_bucket`, { ...labels, le: "+Inf" }, count), line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count));
    }
  }
  return `${lines.join("\n")}\n`;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}
