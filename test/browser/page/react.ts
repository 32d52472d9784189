import { createElement as h, StrictMode, useState, type ReactElement } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { EventRouterClient } from "../../../src/index.ts";
import { useConnection, useEvents, useLatest } from "../../../src/react.ts";

let client: EventRouterClient;
let renders = 0;
let choose: (pattern: string) => void = () => {};
let unmount = (): void => {};
const complaints: string[] = [];

function Panel({ of }: { of: EventRouterClient }): ReactElement {
  const [pattern, setPattern] = useState("n.*");
  choose = setPattern;
  renders++;
  const events = useEvents(of, [pattern], { filter: { "payload.even": true }, limit: 3 });
  const latest = useLatest(of, pattern);
  return h("p", null, `${useConnection(of)}: ${events.map(({ payload }) => String((payload as { n: number }).n)).join(",")} latest ${String((latest?.payload as { n?: number } | undefined)?.n)}`);
}

const page = (): ReactElement => h(StrictMode, null, h(Panel, { of: client }));
const text = (): string | null => document.body.textContent;

/** As a server renders it, without a router in reach. @returns its text and the client's state after it */
export async function onServer(): Promise<[string, string]> {
  client = new EventRouterClient({ transport: "shared-worker", worker: () => { throw new Error("not on a server"); } });
  return [renderToString(page()), client.state];
}

/** Shows what a server has rendered, and brings it to life. */
export async function hydrate(html: string): Promise<void> {
  client = new EventRouterClient();
  console.error = (...what: unknown[]) => void complaints.push(what.map(String).join(" "));
  document.body.innerHTML = `<div id="root">${html}</div>`;
  const root = hydrateRoot(document.getElementById("root")!, page(), { onRecoverableError: (error) => complaints.push(String(error)) });
  unmount = () => root.unmount();
}

export async function show(): Promise<void> {
  client = new EventRouterClient();
  document.body.innerHTML = '<div id="root"></div>';
  const root = createRoot(document.getElementById("root")!);
  root.render(page());
  unmount = () => root.unmount();
}

/** Resolves when the page shows this. */
export async function shows(expected: string): Promise<void> {
  for (const end = Date.now() + 60_000; text() !== expected; ) {
    if (Date.now() > end) throw new Error(`it shows ${String(text())}; ${complaints.join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function publish(type: string, from: number, to: number): Promise<void> {
  await client.publishBatch(Array.from({ length: to - from + 1 }, (_, i) => [type, { n: from + i, even: (from + i) % 2 === 0 }] as const));
}

export async function subscriptions(): Promise<number> {
  return ((await client.call("stats")) as { activeSubscriptions: number }).activeSubscriptions;
}

export async function pick(pattern: string): Promise<void> { choose(pattern); }
export async function remove(): Promise<void> { unmount(); }
export async function rendered(): Promise<number> { return renders; }
export async function complained(): Promise<readonly string[]> { return complaints; }
export async function end(): Promise<void> { await client.close(); }
