import { type EventFilter, ValidationError } from "../src/index.ts";
import { describe } from "./activity.ts";
import type { PageAddress } from "./address.ts";
import { chosen, find, make } from "./dom.ts";
import { parseFilter } from "./parse-filter.ts";

/** What a tail shows. */
export interface TailQuery {
  readonly topics: readonly string[];
  readonly filter: EventFilter | undefined;
  readonly from: "now" | "start";
}

/**
 * The fields that say what the tail shows. A query that the router refuses is told beside them, and the tail goes on with the last good one.
 * @param apply rejects if the router refuses it.
 */
export function setUpFilterBar(address: PageAddress, apply: (query: TailQuery) => Promise<void>): { refresh(): void } {
  const form = find("filter-bar", HTMLFormElement);
  const pattern = find("pattern", HTMLInputElement);
  const filter = find("filter", HTMLInputElement);
  const button = find("apply", HTMLButtonElement);
  const error = find("tail-error", HTMLElement);
  let applied = "";
  let turn = 0;

  const written = () => JSON.stringify([pattern.value.trim(), filter.value.trim(), chosen(form, "from")]);
  const mark = () => button.classList.toggle("primary", written() !== applied);

  function read(): TailQuery {
    const patterns = pattern.value.split(/[\s,]+/).filter((part) => part !== "");
    const { filter: condition, topics } = parseFilter(filter.value);
    const open = patterns.length === 0 || patterns.join() === "**";
    if (topics !== undefined && !open) throw new ValidationError("ERR_FILTER", "the filter's type: and the pattern field both name patterns; leave one of them");
    return { topics: topics ?? (open ? ["**"] : patterns), filter: condition, from: chosen(form, "from") === "start" ? "start" : "now" };
  }

  async function submit(): Promise<void> {
    const mine = ++turn;
    const text = written();
    form.setAttribute("aria-busy", "true");
    try {
      await apply(read());
      if (mine !== turn) return;
      applied = text;
      show(undefined);
      address.write({ pattern: pattern.value.trim() || "**", filter: filter.value.trim(), from: chosen(form, "from") === "start" ? "start" : "now" });
    } catch (thrown) {
      if (mine === turn) show(thrown);
    } finally {
      if (mine === turn) form.removeAttribute("aria-busy");
      mark();
    }
  }

  function show(thrown: unknown): void {
    error.hidden = thrown === undefined;
    error.replaceChildren();
    pattern.removeAttribute("aria-invalid");
    filter.removeAttribute("aria-invalid");
    if (thrown === undefined) return;
    const { code, message } = describe(thrown);
    const [text = "", ...excerpt] = message.split("\n");
    error.append(make("code", "code", code), " ", text);
    if (excerpt.length > 0) error.append(make("pre", "excerpt", excerpt.join("\n")));
    error.append(make("span", "kept", "The tail goes on as before."));
    if (code === "ERR_PATTERN") pattern.setAttribute("aria-invalid", "true");
    if (code === "ERR_FILTER") filter.setAttribute("aria-invalid", "true");
  }

  const { now } = address;
  pattern.value = now.pattern;
  filter.value = now.filter;
  for (const option of form.querySelectorAll<HTMLInputElement>("input[name=from]")) option.checked = option.value === now.from;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  form.addEventListener("input", mark);
  // A choice is made by choosing; text is applied when it is whole.
  form.addEventListener("change", (event) => { if ((event.target as HTMLElement).getAttribute("name") === "from") void submit(); });
  return { refresh: () => void submit() };
}
