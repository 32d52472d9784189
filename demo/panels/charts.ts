import type { EventRouterClient } from "../../src/index.ts";
import { TimeChart, type Line } from "../chart.ts";
import { make, setText } from "../dom.ts";
import { BUDGET, FrameBudget } from "../frame-budget.ts";
import { count, measure } from "../format.ts";
import { flood } from "./flood.ts";
import { chartsProgram } from "../programs.ts";
import { button, card } from "./parts.ts";
import type { SetUpPanel } from "./panels.ts";

/** What the charts show, in seconds. */
const MINUTE = 60;
const PROBE = "playground.probe";

/** Events per second, the way of an event from this page to the router and back, and the page's own frames. */
export const setUpCharts: SetUpPanel = (host, session, activity) => {
  const frames = new FrameBudget();
  const rate = tile("Throughput", "events/s", "Events that arrive in this page.", [{ label: "received", color: "--chart-cpu", area: true }], 10);
  const latency = tile("Latency", "ms", "From a publish here, through the router, to a handler here; an ephemeral event a second.", [{ label: "there and back", color: "--chart-memory", area: true }], 5);
  const frame = tile("Longest frame", "ms", `The longest of each second. More than ${measure(BUDGET)} ms is a frame that was missed.`, [{ label: "frame", color: "--chart-loop", area: true }], 20);
  let stop: (() => void) | undefined;
  const start = button("10,000 events/s for five seconds", () => {
    if (stop !== undefined) return stop();
    if (session.client === undefined) return activity.error(new Error("not connected: press Connect at the top of the page"), "flooding");
    start.textContent = "Stop the flood";
    stop = flood(session.client, () => {
      stop = undefined;
      start.textContent = "10,000 events/s for five seconds";
    });
  }, "primary");
  host.append(card("Charts", "The last minute, while this panel is on show. The flood is ephemeral: it leaves nothing in the log.", make("div", "actions-row", start), make("div", "chart-grid", rate.host, latency.host, frame.host)));

  return { code: () => chartsProgram(session.reach), restyle: () => { for (const { draw } of [rate, latency, frame]) draw(); }, show() {
    let received = 0;
    let asked: EventRouterClient | undefined;
    let end = (): void => {};
    const follow = (): void => {
      end();
      asked = session.client;
      if (asked === undefined) return;
      const client = asked;
      const all = client.on("**", () => { received++; });
      const probe = client.on(PROBE, ({ payload }) => {
        const { at, page } = payload as { at: number; page: number };
        if (page === performance.timeOrigin) latency.push(performance.now() - at);
      });
      end = () => {
        // One that goes with its client is gone already.
        for (const one of [all, probe]) one.unsubscribe().catch(() => {});
      };
      for (const one of [all, probe]) one.ready.catch((thrown: unknown) => { if (client === session.client) activity.error(thrown, "following the charts"); });
    };
    follow();
    frames.take();
    let before = performance.now();
    const timer = setInterval(() => {
      if (session.client !== asked) follow();
      const now = performance.now();
      rate.push(received / (now - before) * 1_000);
      received = 0;
      before = now;
      frame.push(frames.take());
      if (session.state === "connected") session.client?.publishNowait(PROBE, { at: now, page: performance.timeOrigin }, { ephemeral: true });
    }, 1_000);
    return () => {
      clearInterval(timer);
      end();
      stop?.();
    };
  } };
};

function tile(title: string, unit: string, about: string, lines: readonly Line[], least: number) {
  const value = make("span", "value", "–");
  const plot = make("div", "plot");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${title}: no figure yet`);
  const element = make("article", "metric", make("div", "metric-head", make("h3", "", title), make("p", "figure", value, make("span", "unit", unit))), make("p", "about", about), plot);
  const chart = new TimeChart(plot, { lines, least, span: MINUTE, axis: count, hovered() {} });
  return {
    host: element,
    draw: () => chart.draw(),
    push(figure: number): void {
      setText(value, measure(figure));
      plot.setAttribute("aria-label", `${title} over the last minute, now ${measure(figure)} ${unit}`);
      chart.push(Date.now() / 1_000, [figure]);
    },
  };
}
