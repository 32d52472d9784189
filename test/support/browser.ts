import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

/** Starts Chromium without what a closed network and a container refuse it. */
export const browserArguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

/** Where each browser (WebKit: its driver) is looked for, and the Debian packages that bring it. */
const browsers = {
  chromium: {
    paths: () => [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable", chromium.executablePath()],
    packages: ["chromium"],
  },
  firefox: { paths: () => [process.env.FIREFOX_PATH, "/usr/bin/firefox-esr", "/usr/bin/firefox"], packages: ["firefox-esr"] },
  webkit: { paths: () => [process.env.WEBKIT_DRIVER_PATH, "/usr/bin/WebKitWebDriver"], packages: ["webkit2gtk-driver", "xvfb", "xauth"] },
} as const;

export type BrowserName = keyof typeof browsers;

/** The path of a Chromium: the system's own first, then Playwright's. @throws Error that says what to type. */
export const findBrowser = (): string => findInstalled("chromium");

/** The path of a browser that `installBrowser` has found or installed. @throws Error that says what to type. */
export function findInstalled(name: BrowserName): string {
  const found = pathOf(name);
  if (found === undefined) throw new Error(`the tests need ${name}: type \`apt-get install ${browsers[name].packages.join(" ")}\` (as root)${name === "chromium" ? ", or `npx playwright-core install chromium`" : ""}`);
  return found;
}

/** Sees to it that a browser is there: from Debian's packages if this is root on Debian; Chromium else by Playwright's download. @throws Error that says what to type. */
export function installBrowser(name: BrowserName): void {
  if (pathOf(name) !== undefined) return;
  console.log(`installing ${name} for the tests …`);
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    execFileSync("apt-get", ["update", "-qq"], { stdio: "inherit" });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...browsers[name].packages], { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  } else if (name === "chromium") spawnSync("npx", ["playwright-core", "install", "chromium"], { stdio: "inherit" });
  findInstalled(name);
}

function pathOf(name: BrowserName): string | undefined {
  return browsers[name].paths().find((path): path is string => path !== undefined && path !== "" && existsSync(path));
}
