import { find, make, setText } from "./dom.ts";
import { conditionsOf, filterOf, operators, type Condition, type Joined, type Operator } from "./filter-conditions.ts";
import { parseFilter } from "./parse-filter.ts";
import type { Seen } from "./seen.ts";

/** Patterns that are offered at most. */
const OFFERED = 14;

/** Builds pattern and filter by choosing: it writes into the two fields, which stay what counts. */
export function setUpFilterBuilder(seen: Seen): void {
  const form = find("filter-bar", HTMLFormElement);
  const pattern = find("pattern", HTMLInputElement);
  const filter = find("filter", HTMLInputElement);
  const open = find("build", HTMLButtonElement);
  const builder = find("builder", HTMLElement);
  const chips = find("builder-types", HTMLElement);
  const lines = find("builder-lines", HTMLOListElement);
  const fields = find("builder-fields", HTMLDataListElement);
  const join = find("builder-join", HTMLElement);
  const note = find("builder-note", HTMLElement);

  const write = (input: HTMLInputElement, value: string): void => {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const chosenPatterns = (): string[] => pattern.value.split(/[\s,]+/).filter((part) => part !== "" && part !== "**");

  function showTypes(): void {
    const chosen = chosenPatterns();
    const chip = (text: string, pressed: boolean, next: () => readonly string[]): HTMLButtonElement => {
      const button = make("button", "chip", text);
      button.type = "button";
      button.setAttribute("aria-pressed", String(pressed));
      button.addEventListener("click", () => {
        write(pattern, next().join(" ") || "**");
        showTypes();
        [...chips.querySelectorAll("button")].find(({ textContent }) => textContent === text)?.focus();
      });
      return button;
    };
    const offered = [...new Set([...chosen, ...seen.patterns])].slice(0, OFFERED);
    chips.replaceChildren(chip("everything", chosen.length === 0, () => []), ...offered.map((one) =>
      chip(one, chosen.includes(one), () => (chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one]))));
  }

  const joined = (): Joined => (join.querySelector<HTMLInputElement>("input:checked")?.value === "any" ? "any" : "all");
  const read = (): Condition[] => [...lines.children].map((line) => ({
    field: line.querySelector<HTMLInputElement>(".builder-field")!.value.trim(),
    operator: line.querySelector("select")!.value as Operator,
    value: line.querySelector<HTMLInputElement>(".builder-value")!.value,
  }));
  function changed(): void {
    join.hidden = lines.childElementCount < 2;
    for (const line of lines.children) line.querySelector<HTMLInputElement>(".builder-value")!.placeholder = line.querySelector("select")!.value === "$exists" ? "yes or no" : "";
    setText(note, "");
    const whole = read().filter(({ field, operator, value }) => field !== "" && (value.trim() !== "" || operator === "$exists"));
    const meant = filterOf(whole, joined());
    write(filter, meant === undefined ? "" : JSON.stringify(meant));
  }

  function add({ field, operator, value }: Condition): HTMLElement {
    const input = (className: string, label: string, text: string): HTMLInputElement => {
      const element = make("input", `mono ${className}`);
      Object.assign(element, { type: "text", value: text, autocomplete: "off", spellcheck: false });
      element.setAttribute("aria-label", label);
      return element;
    };
    const path = input("builder-field", "Field", field);
    path.setAttribute("list", fields.id);
    path.placeholder = "payload.total";
    const select = make("select", "", ...operators.map(([name, words]) => new Option(words, name, false, name === operator)));
    select.setAttribute("aria-label", "Condition");
    const remove = make("button", "small", "Remove");
    remove.type = "button";
    remove.addEventListener("click", () => {
      const next = line.nextElementSibling ?? line.previousElementSibling;
      line.remove();
      changed();
      (next?.querySelector<HTMLElement>(".builder-field") ?? find("builder-add", HTMLButtonElement)).focus();
    });
    const line = make("li", "builder-line", path, select, input("builder-value", "Value", value), remove);
    lines.append(line);
    return line;
  }

  function show(): void {
    showTypes();
    fields.replaceChildren(...seen.fields.map((field) => new Option(undefined, field)));
    lines.replaceChildren();
    let known: ReturnType<typeof conditionsOf>;
    try {
      const { filter: now, topics } = parseFilter(filter.value);
      known = topics === undefined ? conditionsOf(now) : undefined;
    } catch {
      known = undefined;
    }
    for (const condition of known?.conditions ?? []) add(condition);
    if (lines.childElementCount === 0) add({ field: "", operator: "$eq", value: "" });
    for (const radio of join.querySelectorAll("input")) radio.checked = radio.value === (known?.joined ?? "all");
    join.hidden = lines.childElementCount < 2;
    setText(note, known === undefined ? "The filter in its field says more than lines can. What you build here replaces it." : "");
  }

  open.addEventListener("click", () => {
    builder.hidden = !builder.hidden;
    open.setAttribute("aria-expanded", String(!builder.hidden));
    if (!builder.hidden) show();
  });
  builder.addEventListener("input", changed);
  builder.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") {
      open.click();
      open.focus();
    }
  });
  find("builder-add", HTMLButtonElement).addEventListener("click", () => {
    add({ field: "", operator: "$eq", value: "" }).querySelector("input")!.focus();
    join.hidden = lines.childElementCount < 2;
  });
  find("builder-apply", HTMLButtonElement).addEventListener("click", () => form.requestSubmit());
}
