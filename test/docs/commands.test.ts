import { readdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { browserArguments, findBrowser } from "../support/browser.ts";
import { Checkout } from "../support/checkout.ts";

const root = new URL("../../", import.meta.url);
const read = (page: string): string => readFileSync(new URL(page, root), "utf8");
const pages = [
  "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
  ...readdirSync(new URL("docs", root)).filter((page) => page.endsWith(".md")).map((page) => `docs/${page}`),
  ...(readdirSync(new URL("demo", root), { recursive: true }) as string[]).filter((page) => page.endsWith("README.md")).map((page) => `demo/${page}`),
];
const { scripts } = JSON.parse(read("package.json")) as { scripts: Readonly<Record<string, string>> };

test("each npm script that a page names is there", () => {
  const named = pages.flatMap((page) => [...read(page).matchAll(/`(?:npm run (?:-s )?|(demo:))([\w:-]+)/g)].map(([, demo = "", name]) => [page, `${demo}${name!}`] as const));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(([, name]) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test("the README's first command, after npm ci: a page with figures that come by themselves, and Ctrl-C ends it", async () => {
  const [, command] = /```bash\nnpm ci && (.*)\n```/.exec(read("README.md"))!;
  using checkout = new Checkout();
  const ready = /Playground {2}(http:\/\/[\d.:]+)/;
  await using router = await checkout.start(command!, ready);
  const browser = await chromium.launch({ executablePath: findBrowser(), args: browserArguments });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(ready.exec(router.output)![1]!);
  await page.locator("#rows .row .type", { hasText: "system.cpu" }).first().waitFor();
  await router.interrupt();
  expect(router.output).toMatch(/event-router: stopped\n$/);
});
