import { make } from "../dom.ts";

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
