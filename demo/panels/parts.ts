import { make, setText } from "../dom.ts";

/** A section with a heading and what it is for. */
export function card(title: string, about: string, ...children: (Node | string)[]): HTMLElement {
  const heading = make("h2", "", title);
  heading.id = `panel-title-${title.toLowerCase().replaceAll(" ", "-")}`;
  const section = make("section", "card panel-card", make("div", "card-head", heading), make("p", "about", about), ...children);
  section.setAttribute("aria-labelledby", heading.id);
  return section;
}

export function button(text: string, act: () => unknown, className = ""): HTMLButtonElement {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/** A text field under its name. */
export function field(name: string, value: string): { readonly label: HTMLLabelElement; readonly input: HTMLInputElement } {
  const input = make("input", "mono");
  input.type = "text";
  input.value = value;
  input.autocomplete = "off";
  input.spellcheck = false;
  return { input, label: make("label", "", make("span", "", name), input) };
}

/** A box to tick, with its words. */
export function check(name: string): { readonly label: HTMLLabelElement; readonly input: HTMLInputElement } {
  const input = make("input", "");
  input.type = "checkbox";
  return { input, label: make("label", "check", input, ` ${name}`) };
}

/** One of several, side by side. */
export function segments<T extends string>(legend: string, name: string, choices: readonly (readonly [value: T, text: string])[], now: T, chosen: (value: T) => void): HTMLFieldSetElement {
  return make("fieldset", "segments", make("legend", "hidden", legend), ...choices.map(([value, text]) => {
    const radio = make("input", "");
    Object.assign(radio, { type: "radio", name, value, checked: value === now });
    radio.addEventListener("change", () => chosen(value));
    return make("label", "", radio, make("span", "", text));
  }));
}

/** A number to slide, with what it means beside it. */
export function slider(name: string, range: { readonly min: number; readonly max: number; readonly step: number }, unit: string, changed: (value: number) => void) {
  const input = make("input", "");
  Object.assign(input, { type: "range", min: String(range.min), max: String(range.max), step: String(range.step), value: String(range.min) });
  const shown = make("span", "note");
  const show = (): void => {
    setText(shown, `${input.value} ${unit}`);
    input.setAttribute("aria-valuetext", `${input.value} ${unit}`);
  };
  show();
  input.addEventListener("input", () => {
    show();
    changed(Number(input.value));
  });
  return {
    input,
    label: make("label", "slider", make("span", "", name), input, shown),
    set(value: number): void {
      input.value = String(value);
      show();
    },
  };
}

/** What a panel shows where there is nothing yet: what it is, and what to do. */
export function empty(title: string, todo: string): HTMLElement {
  return make("p", "panel-empty", make("strong", "", title), make("span", "", todo));
}

/** A table that scrolls by itself, also with the keyboard. */
export function table(name: string, heads: readonly string[], rows: readonly (readonly (Node | string)[])[]): HTMLElement {
  const head = make("tr", "", ...heads.map((text) => {
    const cell = make("th", "", text);
    cell.scope = "col";
    return cell;
  }));
  const body = rows.map((cells) => make("tr", "", ...cells.map((cell) => make("td", "", cell))));
  const frame = make("div", "table-frame", make("table", "", make("thead", "", head), make("tbody", "", ...body)));
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", name);
  return frame;
}

/** A list in the order of time. Each entry has a heading, a note and what is below. */
export function timeline(entries: readonly { readonly tone?: string; readonly title: string; readonly note: string; readonly body?: Node }[]): HTMLElement {
  return make("ol", "timeline", ...entries.map(({ tone = "", title, note, body }) =>
    make("li", tone, make("strong", "", title), make("span", "note", note), ...(body === undefined ? [] : [body]))));
}
