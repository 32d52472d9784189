import type { RouterEvent } from "../src/index.ts";
import { make } from "./dom.ts";
import { clockTime, count } from "./format.ts";
import { jsonView } from "./json-view.ts";

/** A line shows this much of a payload at most. */
const LINE = 240;
const HUES = 8;

/** One event as a line, which opens. */
export function eventRow(event: RouterEvent): HTMLLIElement {
  const dot = make("i", `type-dot hue-${hueOf(event.type)}`);
  const seq = make("span", "seq", event.seq === 0 ? "–" : count(event.seq));
  const line = make("button", "line",
    make("span", "time", clockTime(new Date(event.timestamp))), seq,
    make("span", "type", dot, event.type),
    make("span", "source", event.source ?? ""),
    make("span", "payload", oneLine(event.payload)));
  line.type = "button";
  line.tabIndex = -1;
  line.setAttribute("aria-expanded", "false");
  const row = make("li", "row", line);
  row.dataset.seq = String(event.seq);
  return row;
}

/** The whole event. Made only when somebody opens its line. */
export function eventDetail(event: RouterEvent): HTMLElement {
  return make("div", "detail", jsonView(event), ...copyButton(event));
}

/** A row that says that events are missing here. */
export function gapRow(text: string): HTMLLIElement {
  const row = make("li", "row gap", text);
  row.tabIndex = -1;
  return row;
}

/** None where the browser forbids it (a page on plain http that is not on localhost). */
function copyButton(event: RouterEvent): HTMLButtonElement[] {
  if (navigator.clipboard === undefined) return [];
  const button = make("button", "small copy", "Copy");
  button.type = "button";
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(JSON.stringify(event, null, 2)).then(() => { button.textContent = "Copied"; }, () => { button.textContent = "Not allowed"; });
  });
  return [button];
}

function oneLine(payload: unknown): string {
  const text = JSON.stringify(payload) ?? "";
  return text.length > LINE ? `${text.slice(0, LINE)}…` : text;
}

/** Types of one family (`order.placed`, `order.paid`) have one colour. */
function hueOf(type: string): number {
  const end = type.indexOf(".");
  const length = end === -1 ? type.length : end;
  let hash = 5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ type.charCodeAt(i), 16_777_619);
  hash ^= hash >>> 15;
  hash ^= hash >>> 7;
  return (hash >>> 0) % HUES;
}
