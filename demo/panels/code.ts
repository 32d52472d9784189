import { codeView } from "../code-view.ts";
import { make, setText } from "../dom.ts";
import type { RouterSession } from "../session.ts";
import { button, card } from "./parts.ts";
import type { Panel } from "./panels.ts";

/** What a panel does, as a program. */
export interface Program { readonly id: string; readonly name: string; code(): string }

/** Each panel as a program in TypeScript, with what is in its fields. */
export function setUpCode(host: HTMLElement, session: RouterSession, programs: readonly Program[]): Panel {
  const code = make("pre", "json code-block");
  code.tabIndex = 0;
  code.setAttribute("aria-label", "The program");
  const copied = make("span", "note");
  copied.setAttribute("role", "status");
  const choices = make("fieldset", "segments wrap", make("legend", "hidden", "Of which panel"));
  const radios = programs.map(({ id, name }) => {
    const radio = make("input", "");
    Object.assign(radio, { type: "radio", name: "program", value: id });
    choices.append(make("label", "", radio, make("span", "", name)));
    return radio;
  });
  const show = (): void => {
    const wanted = programs.find(({ id }) => id === session.address.now.of) ?? programs[0]!;
    for (const radio of radios) radio.checked = radio.value === wanted.id;
    setText(copied, "");
    code.replaceChildren(...codeView(wanted.code()));
  };
  choices.addEventListener("change", ({ target }) => {
    session.address.write({ of: (target as HTMLInputElement).value });
    show();
  });
  host.append(card("Code", "What a panel does, with what is in its fields, as a program in TypeScript. It runs in Node 24 or later, beside npm install @gadugi/event-router.", make("div", "actions-row", choices, button("Copy", () => {
    navigator.clipboard?.writeText(code.textContent).then(() => setText(copied, "Copied"), () => setText(copied, "Not allowed here"));
  }), copied), code));
  return { show, code: () => code.textContent };
}
