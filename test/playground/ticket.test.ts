import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { createApiKey } from "../../src/auth/api-keys.ts";
import { serve } from "../../src/hosts/server.ts";
import { browserArguments, findBrowser } from "../support/browser.ts";

/** What runs in the page. `from`: where its router is. */
async function inPage({ from, key }: { from: string; key: string }): Promise<{ events: string[]; again: string; foreign: string }> {
  const ticketOf = async (): Promise<string> => {
    const response = await fetch(`${from}/api/v1/tickets`, { method: "POST", headers: { "x-api-key": key } });
    return ((await response.json()) as { ticket: string }).ticket;
  };
  const events: string[] = [];
  const url = `${from}/api/v1/events/stream?topics=news&from=start&ticket=${await ticketOf()}`;
  const source = new EventSource(url);
  await new Promise<void>((resolve) => {
    source.onmessage = ({ data }: MessageEvent<string>) => {
      events.push((JSON.parse(data) as { payload: string }).payload);
      resolve();
    };
  });
  source.close();
  const again = await new Promise<string>((resolve) => {
    const second = new EventSource(url);
    second.onerror = () => resolve(`closed ${second.readyState}`);
    second.onopen = () => resolve("open");
  });
  const foreign = await new Promise<string>((resolve) => {
    void ticketOf().then((ticket) => {
      const socket = new WebSocket(`${from.replace("http", "ws")}/ws?ticket=${ticket}`);
      socket.onopen = () => socket.send('["hello",{"v":1}]');
      socket.onmessage = ({ data }: MessageEvent<string>) => resolve((JSON.parse(data) as [string, { subject?: string }])[1].subject ?? data);
      socket.onerror = () => resolve("refused");
    });
  });
  return { events, again, foreign };
}

test("in a browser, a page opens a stream and a WebSocket with tickets, also a page of an origin that is allowed; one of another origin gets nothing", async () => {
  const page = await createApiKey({ id: "page", permissions: ["subscribe:news", "publish:news"] });
  const home = await serve({ port: 0 });
  const foreign = await serve({ port: 0 });
  await using server = await serve({ port: 0, auth: { apiKeys: [page.entry] }, origins: [home.url] });
  const browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments });
  try {
    await fetch(`${server.url}/api/v1/events`, { method: "POST", headers: { "x-api-key": page.key, "content-type": "application/json" }, body: '{"type":"news","payload":"fresh"}' });
    for (const origin of [server.url, home.url]) {
      const tab = await browser.newPage();
      await tab.goto(`${origin}/health`);
      expect(await tab.evaluate(inPage, { from: server.url, key: page.key })).toEqual({ events: ["fresh"], again: "closed 2", foreign: "key:page" });
    }
    const stranger = await browser.newPage();
    await stranger.goto(`${foreign.url}/health`);
    await expect(stranger.evaluate(inPage, { from: server.url, key: page.key })).rejects.toThrow(/Failed to fetch/);
  } finally {
    await browser.close();
    await Promise.all([home.close(), foreign.close()]);
  }
});
