import uPlot from "uplot";

/** What a chart shows, in seconds. */
export const SPAN = 300;
/** A longer silence than this is a gap in the line, not a slope. */
const SILENCE = 4;

export interface Line {
  readonly label: string;
  /** A registered custom property of type `<color>`. */
  readonly color: `--${string}`;
  readonly area?: boolean;
}

export interface ChartOptions {
  readonly lines: readonly Line[];
  /** Upper end of the scale; without it, the data's, but no less than `least`. */
  readonly max?: number;
  readonly least?: number;
  /** Seconds that it shows; without it {@link SPAN}. */
  readonly span?: number;
  /** Values of the left axis. */
  axis(value: number): string;
  /** The point under the pointer, or under the pointer in another chart; undefined when it has left. */
  hovered(time: number | undefined, values: readonly (number | null)[]): void;
}

/** Lines over the last minutes. Time is the router's: the right edge is its newest event, moved on by the seconds since then. */
export class TimeChart {
  readonly #host: HTMLElement;
  readonly #plot: uPlot;
  readonly #series: number;
  readonly #span: number;
  #times: number[] = [];
  #values: (number | null)[][];
  #newest = 0;
  #arrived = 0;
  #framed = false;

  constructor(host: HTMLElement, options: ChartOptions) {
    this.#host = host;
    this.#series = options.lines.length;
    this.#span = options.span ?? SPAN;
    this.#values = options.lines.map(() => []);
    this.#plot = new uPlot(this.#options(options), this.#data(), host);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(host);
  }

  /** @param time seconds since 1970. Anything that is not newer than the newest is left out. */
  push(time: number, values: readonly (number | null)[]): void {
    if (time <= this.#newest) return;
    if (this.#newest > 0 && time - this.#newest > SILENCE) this.#append(this.#newest + 1, values.map(() => null));
    this.#append(time, values);
    this.#newest = time;
    this.#arrived = performance.now();
    this.draw();
  }

  clear(): void {
    this.#times = [];
    this.#values = this.#values.map(() => []);
    this.#newest = 0;
    this.draw();
  }

  /** With the next frame: the past five minutes come as hundreds of events at once. */
  draw(): void {
    if (this.#framed) return;
    this.#framed = true;
    requestAnimationFrame(() => {
      this.#framed = false;
      this.#forget();
      this.#plot.setData(this.#data());
    });
  }

  #append(time: number, values: readonly (number | null)[]): void {
    this.#times.push(time);
    for (let i = 0; i < this.#series; i++) this.#values[i]!.push(values[i] ?? null);
  }

  #end(): number {
    return this.#newest === 0 ? Date.now() / 1_000 : this.#newest + (performance.now() - this.#arrived) / 1_000;
  }

  #forget(): void {
    const oldest = this.#end() - this.#span - SILENCE;
    const gone = this.#times.findIndex((time) => time >= oldest);
    if (gone < 60) return;
    this.#times.splice(0, gone);
    for (const values of this.#values) values.splice(0, gone);
  }

  #data(): uPlot.AlignedData {
    return [this.#times, ...this.#values];
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(this.#host.clientWidth, 40), height: Math.max(this.#host.clientHeight, 40) };
  }

  #options({ lines, max, least = 0, axis, hovered }: ChartOptions): uPlot.Options {
    const color = (name: string) => getComputedStyle(this.#host).getPropertyValue(name).trim();
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const faint = { stroke: () => color("--chart-grid"), width: 1 };
    return {
      ...this.#size(),
      padding: [6, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, width: 2 }, sync: { key: "metrics" } },
      scales: {
        x: { time: true, range: () => [this.#end() - this.#span, this.#end()] },
        y: { range: (_, __, most) => [0, max ?? Math.max(least, most * 1.15)] },
      },
      axes: [
        { stroke: () => color("--chart-label"), font, grid: { show: false }, ticks: { show: false }, size: 22, gap: 4, space: 52, incrs: [15, 30, 60, 120, 300], values: (plot, times) => times.map((time) => (roomFor(plot, time, this.#span) ? clock(time, this.#span) : "")) },
        { stroke: () => color("--chart-label"), font, grid: faint, ticks: { show: false }, size: 46, gap: 6, space: 26, values: (_, values) => values.map(axis) },
      ],
      series: [{}, ...lines.map((line): uPlot.Series => ({
        label: line.label,
        stroke: () => color(line.color),
        width: 1.5,
        // Few points, such as a single one, are no line yet.
        points: { show: this.#span < SPAN, size: 4, width: 0, fill: () => color(line.color) },
        ...(line.area === true ? { fill: (plot: uPlot) => fade(plot, color(line.color)) } : {}),
      }))],
      hooks: {
        setCursor: [(plot) => {
          const index = plot.cursor.left === undefined || plot.cursor.left < 0 ? null : plot.cursor.idx;
          const time = index === null || index === undefined ? undefined : this.#times[index];
          hovered(time, time === undefined ? [] : this.#values.map((values) => values[index!] ?? null));
        }],
      },
    };
  }
}

/** Whether a label under this time is not cut off by the edge, nor beside the scale. */
function roomFor(plot: uPlot, time: number, span: number): boolean {
  const [place, half] = [plot.valToPos(time, "x"), span < SPAN ? 24 : 12];
  return !(place < half || place > plot.bbox.width / uPlot.pxRatio - half + 6);
}

/** With seconds where only a minute is on show. */
function clock(time: number, span: number): string {
  const date = new Date(time * 1_000);
  const two = (part: number): string => String(part).padStart(2, "0");
  return span < SPAN ? `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}` : `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The colour, paler towards the bottom. */
function fade(plot: uPlot, color: string): CanvasGradient | string {
  const { top, height } = plot.bbox;
  if (!Number.isFinite(top + height) || height <= 0) return "transparent";
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  gradient.addColorStop(0, `rgba(${red}, ${green}, ${blue}, 0.42)`);
  gradient.addColorStop(1, `rgba(${red}, ${green}, ${blue}, 0.03)`);
  return gradient;
}
