import type { Responder } from "../../src/index.ts";
import { describe } from "../activity.ts";
import { make } from "../dom.ts";
import { decimal } from "../format.ts";
import { findJsonMistake } from "../json-mistake.ts";
import { jsonView } from "../json-view.ts";
import { requestsProgram } from "../programs.ts";
import { button, card, empty, field } from "./parts.ts";
import type { SetUpPanel } from "./panels.ts";

const KEPT = 50;

/** Asks, and shows what was answered. The example's responder is this page. */
export const setUpRequests: SetUpPanel = (host, session, activity) => {
  const type = field("Ask", "calculator.add");
  const payload = field("Question (JSON)", '{"x": 10, "y": 20}');
  const timeout = field("Timeout", "5s");
  const answers = make("ol", "cards");
  answers.setAttribute("aria-live", "polite");
  const none = empty("Nothing asked yet.", "“Answer calculator.add here” makes this page the responder; then press Ask. Without a responder the router says so at once.");
  let responder: Responder | undefined;

  const show = (tone: string, title: string, note: string, body: Node): void => {
    none.remove();
    answers.prepend(make("li", "letter", make("div", "letter-head", make("strong", "", title), make("span", `status ${tone}`, note)), body));
    while (answers.childElementCount > KEPT) answers.lastElementChild?.remove();
  };
  const answer = button("Answer calculator.add here", async () => {
    try {
      if (session.client === undefined) throw new Error("not connected: press Connect at the top of the page");
      if (responder === undefined) {
        responder = session.client.respond("calculator.add", (request) => {
          const { x, y } = request.payload as { x?: unknown; y?: unknown };
          if (typeof x !== "number" || typeof y !== "number") throw new TypeError("x and y must be numbers");
          return { result: x + y };
        });
        await responder.ready;
      } else {
        await responder.stop();
        responder = undefined;
      }
      answer.textContent = responder === undefined ? "Answer calculator.add here" : "Answer no more";
    } catch (thrown) {
      activity.error(thrown, "answering requests");
    }
  });
  const form = make("form", "request-form", type.label, payload.label, timeout.label, make("div", "actions-row", make("button", "primary", "Ask"), answer));
  host.append(card("Requests", "A question to whoever answers it: one answer comes back, or an error that says why not.", form, make("div", "panel-body", none, answers)));

  const ask = async (): Promise<void> => {
    const mistake = findJsonMistake(payload.input.value);
    payload.input.setAttribute("aria-invalid", String(mistake !== undefined));
    const asked = type.input.value.trim();
    if (mistake !== undefined) return show("bad", asked, "not sent", make("p", "reason", `The question, column ${mistake.column}: ${mistake.message}`));
    const begun = performance.now();
    try {
      if (session.client === undefined) throw new Error("not connected: press Connect at the top of the page");
      const response = await session.client.request(asked, JSON.parse(payload.input.value), { timeout: timeout.input.value.trim() as "5s" });
      show("good", asked, `${decimal(performance.now() - begun)} ms`, jsonView(response.payload));
    } catch (thrown) {
      const { code, message } = describe(thrown);
      show("bad", asked, "failed", make("p", "reason", make("code", "code", code), " ", message));
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask();
  });
  session.use(() => () => {
    responder = undefined;
    answer.textContent = "Answer calculator.add here";
  });
  return { code: () => requestsProgram(session.reach, type.input.value.trim(), payload.input.value.trim(), timeout.input.value.trim()), show: () => {} };
};
