import puppeteer from "puppeteer-core";
import { findInstalled } from "../browser.ts";
import { callScript, PATIENCE, resultOf, type Engine } from "./engine.ts";

/** Firefox, driven by WebDriver BiDi. */
export async function startFirefox(): Promise<Engine> {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: findInstalled("firefox"), headless: true, timeout: PATIENCE, protocolTimeout: 300_000 });
  return {
    name: "Firefox",
    async open(url) {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE);
      await page.goto(url);
      return {
        call: async (module, name, ...args) => resultOf((await page.evaluate(callScript(module, name, args))) as string),
        reload: async () => void (await page.reload()),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}
