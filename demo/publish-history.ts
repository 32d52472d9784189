import { find, make, setText } from "./dom.ts";
import { clockTime, count } from "./format.ts";
import type { Draft } from "./programs.ts";

const KEPT = 20;

/** What was published from this form, newest first; a click brings it back. Kept in this page only: a payload may be a secret. */
export function setUpPublishHistory(fill: (draft: Draft) => void): { add(draft: Draft): void } {
  const list = find("history-list", HTMLOListElement);
  const summary = find("history-count", HTMLElement);
  const none = find("history-none", HTMLElement);
  let entries: readonly { readonly draft: Draft; readonly at: Date; readonly key: string }[] = [];
  return {
    add(draft) {
      const key = JSON.stringify(draft);
      entries = [{ draft, at: new Date(), key }, ...entries.filter((entry) => entry.key !== key)].slice(0, KEPT);
      setText(summary, count(entries.length));
      none.hidden = true;
      list.replaceChildren(...entries.map((entry) => {
        const { type, payload } = entry.draft;
        const again = make("button", "again", make("span", "again-type", type), make("span", "again-time", clockTime(entry.at).slice(0, 8)), make("span", "again-payload mono", payload.replace(/\s+/g, " ")));
        again.type = "button";
        again.addEventListener("click", () => fill(entry.draft));
        return make("li", "", again);
      }));
    },
  };
}
