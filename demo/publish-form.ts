import { type EventRouterClient, type Receipt, ValidationError } from "../src/index.ts";
import { type Activity, describe } from "./activity.ts";
import { find, make, setText } from "./dom.ts";
import { examples, type Example, sensorBatch } from "./examples.ts";
import { count, decimal } from "./format.ts";
import { findJsonMistake } from "./json-mistake.ts";
import type { Draft } from "./programs.ts";
import { setUpPublishHistory } from "./publish-history.ts";
import { setUpPublishSchema } from "./publish-schema.ts";
import type { RouterSession } from "./session.ts";

/** A publish that takes longer than this says that it is under way. */
const SHORT = 150;

/** The form that publishes, with the receipt or the error of the last publish below it. @returns what is in it now. */
export function setUpPublishForm(session: RouterSession, activity: Activity): () => Draft {
  const form = find("publish", HTMLFormElement);
  const type = find("type", HTMLInputElement);
  const payload = find("payload", HTMLTextAreaElement);
  const more = find("more", HTMLDetailsElement);
  const priority = find("priority", HTMLInputElement);
  const source = find("source", HTMLInputElement);
  const correlationId = find("correlation-id", HTMLInputElement);
  const mistakes = find("payload-error", HTMLElement);
  const result = find("publish-result", HTMLElement);
  let turn = 0;

  /** Says what is wrong with the payload; a click goes there. */
  function check(): boolean {
    const mistake = findJsonMistake(payload.value);
    mistakes.replaceChildren();
    mistakes.hidden = mistake === undefined;
    payload.setAttribute("aria-invalid", String(mistake !== undefined));
    if (mistake === undefined) return true;
    const go = make("button", "small", "Go there");
    go.type = "button";
    go.addEventListener("click", () => {
      payload.focus();
      payload.setSelectionRange(mistake.at, Math.min(mistake.at + 1, payload.value.length));
    });
    mistakes.append(
      make("p", "", make("strong", "", `Line ${mistake.line}, column ${mistake.column}: `), mistake.message),
      make("pre", "excerpt", mistake.excerpt), go);
    return false;
  }

  function show(tone: "good" | "bad" | "wait", ...parts: (Node | string)[]): void {
    result.className = `result ${tone}`;
    // With spaces: who hears the page or copies from it needs them.
    result.replaceChildren(...parts.flatMap((part) => [part, " "]));
    result.hidden = false;
  }

  async function run(publish: (client: EventRouterClient) => Promise<readonly Receipt[]>): Promise<boolean> {
    const { client } = session;
    const mine = ++turn;
    const begun = performance.now();
    const waiting = setTimeout(() => { if (mine === turn) show("wait", session.state === "connected" ? "Publishing …" : "Waiting for the connection …"); }, SHORT);
    try {
      if (client === undefined) throw new ValidationError("NOT_CONNECTED", "press Connect at the top of the page, then publish again");
      const receipts = await publish(client);
      const took = `${decimal(performance.now() - begun)} ms`;
      const [first] = receipts;
      const last = receipts.at(-1);
      if (first === undefined || last === undefined) return true;
      const seq = first.seq === null ? "not known" : receipts.length === 1 ? count(first.seq) : `${count(first.seq)} – ${last.seq === null ? "?" : count(last.seq)}`;
      const what = receipts.length === 1 ? first.type : `${count(receipts.length)} events`;
      activity.success(`${what} ${first.status} as ${seq} in ${took}`);
      if (mine !== turn) return true;
      show("good", make("span", "badge", first.status), fact("seq", seq), fact("took", took), ...(receipts.length === 1 ? [fact("id", first.id)] : [fact("events", count(receipts.length))]));
      return true;
    } catch (thrown) {
      activity.error(thrown, "publishing");
      const { code, message } = describe(thrown);
      if (mine === turn) show("bad", make("code", "code", code), message);
      return false;
    } finally {
      clearTimeout(waiting);
    }
  }

  function fill(draft: Draft): void {
    type.value = draft.type;
    payload.value = draft.payload;
    priority.value = draft.options.priority === undefined ? "" : String(draft.options.priority);
    source.value = draft.options.source ?? "";
    correlationId.value = draft.options.correlationId ?? "";
    if (priority.value + source.value + correlationId.value !== "") more.open = true;
    type.dispatchEvent(new Event("input"));
    check();
  }

  /** What is said beside the payload. */
  const options = () => ({
    ...(priority.value !== "" && { priority: Number(priority.value) }),
    ...(source.value.trim() !== "" && { source: source.value.trim() }),
    ...(correlationId.value.trim() !== "" && { correlationId: correlationId.value.trim() }),
  });

  const draft = (): Draft => ({ type: type.value.trim(), payload: payload.value.trim(), options: options() });
  const history = setUpPublishHistory((earlier) => {
    fill(earlier);
    payload.focus();
  });
  const schema = setUpPublishSchema(type, payload);

  async function publish(now: Draft): Promise<void> {
    const value = JSON.parse(now.payload) as unknown;
    const faults = await schema.faults(value);
    if (faults.length > 0) return show("bad", make("code", "code", "ERR_SCHEMA"), "not published: ", make("ul", "faults", ...faults.map((fault) => make("li", "", fault))));
    if (await run(async (client) => [await client.publish(now.type, value, now.options)])) history.add(now);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!check()) return payload.focus();
    void publish(draft());
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  payload.addEventListener("input", check);

  const buttons = find("examples", HTMLElement);
  for (const example of examples) buttons.append(chip(example.type, () => fill(draftOf(example))));
  buttons.append(chip("batch of 100", () => void run((client) => client.publishBatch(sensorBatch()))));
  const shop = find("play", HTMLButtonElement);
  shop.addEventListener("click", () => {
    try {
      if (session.traffic.playing) return session.traffic.stop();
      const { traffic } = session.address.now;
      session.address.write({ traffic: traffic === "none" ? "shop" : traffic });
      session.traffic.play(traffic === "none" ? "shop" : traffic);
    } catch (thrown) {
      activity.error(thrown, "playing");
    }
  });
  const showTraffic = (): void => {
    const what = session.address.now.traffic === "sensors" ? "sensors" : "a shop";
    setText(shop, session.traffic.playing ? `stop · ${count(session.traffic.published)}` : `play ${what}`);
    shop.setAttribute("aria-pressed", String(session.traffic.playing));
  };
  session.traffic.onChange(showTraffic);
  session.address.onChange(showTraffic);
  showTraffic();
  fill(draftOf(examples[0]!));
  return draft;
}

function draftOf({ type, payload, ...options }: Example): Draft {
  return { type, payload: JSON.stringify(payload, null, 2), options };
}

function fact(name: string, value: string): HTMLElement {
  return make("span", `fact fact-${name}`, make("span", "fact-name", name), " ", value);
}

function chip(text: string, act: () => void): HTMLButtonElement {
  const button = make("button", "chip", text);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}
