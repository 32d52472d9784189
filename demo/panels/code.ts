import { readAddress } from "../address.ts";
import { find, make } from "../dom.ts";
import { parseFilter } from "../parse-filter.ts";
import { button, card } from "./parts.ts";
import type { SetUpPanel } from "./panels.ts";

/** What the page does now, as a program. */
export const setUpCode: SetUpPanel = (host, session) => {
  const code = make("pre", "json code-block");
  code.tabIndex = 0;
  code.setAttribute("aria-label", "The program");
  const copied = make("span", "note");
  copied.setAttribute("role", "status");
  host.append(card("Code", "The live tail and the publish form as they stand, in TypeScript. It runs in Node 24 or later.", make("div", "actions-row", button("Copy", () => {
    navigator.clipboard?.writeText(code.textContent).then(() => { copied.textContent = "Copied"; }, () => { copied.textContent = "Not allowed here"; });
  }), copied), code));
  return () => {
    copied.textContent = "";
    code.textContent = program(session.transport, session.encryptionKey !== undefined);
  };
};

function program(transport: string, encrypted: boolean): string {
  const { url, namespace, pattern, filter, from } = readAddress();
  const options = [
    `transport: ${JSON.stringify(transport)}`,
    ...(transport === "memory" ? [] : [`url: ${JSON.stringify(url)}`]),
    ...(namespace === "default" ? [] : [`namespace: ${JSON.stringify(namespace)}`]),
    ...(encrypted ? ["encryption: { key: process.env.EVENT_KEY! }"] : []),
  ];
  let said: ReturnType<typeof parseFilter> = { filter: undefined, topics: undefined };
  try {
    said = parseFilter(filter);
  } catch {
    // What is being typed and is no filter yet is told beside the field.
  }
  const topics = said.topics ?? pattern.split(/[\s,]+/).filter((part) => part !== "");
  const how = [...(said.filter === undefined ? [] : [`filter: ${JSON.stringify(said.filter)}`]), ...(from === "now" ? [] : [`from: ${JSON.stringify(from)}`])];
  return [
    'import { EventRouterClient } from "@gadugi/event-router";',
    "",
    `await using client = new EventRouterClient({ ${options.join(", ")} });`,
    "",
    `await client.subscribe(${JSON.stringify(topics.length === 1 ? topics[0] : topics)}, ${how.length === 0 ? "" : `{ ${how.join(", ")} }, `}(event) => {`,
    "  console.log(event.seq, event.type, event.payload);",
    "});",
    "",
    `const receipt = await client.publish(${JSON.stringify(find("type", HTMLInputElement).value.trim())}, ${find("payload", HTMLTextAreaElement).value.trim()});`,
    "console.log(receipt.status, receipt.seq);",
    "",
  ].join("\n");
}
