import { EventRouterError } from "../src/index.ts";
import { make, setText } from "./dom.ts";
import { clockTime } from "./format.ts";

const KEPT = 100;

/** What the page tells its user about what happened, newest first. Every error ends here at the latest. */
export interface Activity {
  info(text: string): void;
  success(text: string): void;
  /** @param doing what was being done, as "subscribing". */
  error(thrown: unknown, doing: string): void;
}

/** An error as the page shows it. */
export function describe(thrown: unknown): { readonly code: string; readonly message: string } {
  if (thrown instanceof EventRouterError) return { code: thrown.code, message: thrown.message };
  if (thrown instanceof Error) return { code: thrown.name, message: thrown.message };
  return { code: "Error", message: String(thrown) };
}

/**
 * @param alert a live region, hidden from sight, that tells errors to a screen reader: the list itself would talk too much.
 */
export function createActivity(list: HTMLOListElement, alert: HTMLElement): Activity {
  let latest = "";
  let repeats = 1;
  const add = (tone: "info" | "good" | "bad", text: string, code?: string): void => {
    const same = `${code ?? ""} ${text}`;
    const top = list.firstElementChild;
    // A failure that comes a thousand times is one line with a number.
    if (same === latest && top !== null) {
      repeats++;
      setText(top.querySelector(".repeats") ?? top.appendChild(make("span", "repeats")), `×${repeats}`);
      return;
    }
    latest = same;
    repeats = 1;
    const time = make("time", "", clockTime(new Date()).slice(0, 8));
    const message = make("span", "message", ...(code === undefined ? [] : [make("code", "code", code), " "]), text);
    const entry = make("li", `entry ${tone}`, time, message);
    list.prepend(entry);
    while (list.childElementCount > KEPT) list.lastElementChild?.remove();
  };
  return {
    info: (text) => add("info", text),
    success: (text) => add("good", text),
    error(thrown, doing) {
      const { code, message } = describe(thrown);
      add("bad", `${doing}: ${message}`, code);
      setText(alert, `${doing} failed, ${message}`);
    },
  };
}
