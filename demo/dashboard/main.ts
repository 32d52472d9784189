import { TimeChart } from "../chart.ts";
import { find, setText } from "../dom.ts";
import { EventRouterClient } from "../../src/index.ts";
import { showState } from "../show-state.ts";

const client = new EventRouterClient({ transport: "websocket", url: location.origin, name: "dashboard" });
showState(client, find("state", HTMLElement));

const chart = new TimeChart(find("plot", HTMLElement), {
  lines: [{ label: "CPU", color: "--chart-cpu", area: true }, { label: "Memory", color: "--chart-memory" }], max: 100, axis: (value) => `${value}%`, hovered() {},
});
let memory: number | null = null;
// Begins five minutes ago, so the chart is full at once; after a lost connection it goes on where it was.
const readings = client.on("system.*", { from: new Date(Date.now() - 300_000) }, ({ type, payload, timestamp }) => {
  const { percent = 0, p99 = 0 } = payload as { percent?: number; p99?: number };
  if (type === "system.memory") memory = percent;
  if (type === "system.cpu") chart.push(Date.parse(timestamp) / 1_000, [percent, memory]);
  if (type === "system.loop") setText(find("loop", HTMLElement), `${p99.toFixed(1)} ms`);
  else setText(find(type === "system.cpu" ? "cpu" : "memory", HTMLElement), `${percent.toFixed(1)} %`);
});
readings.onGap(() => setText(find("gap", HTMLElement), "Some readings are no longer in the log."));
setInterval(() => chart.draw(), 1_000);
