import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const system = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];

/** Starts Chromium without what a closed network and a container refuse it. */
export const browserArguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

/**
 * The path of a Chromium: the system's own first, then Playwright's, else Debian's package if this is root on Debian, else Playwright's download.
 * @throws Error that says what to type.
 */
export function findBrowser(): string {
  const found = installed();
  if (found !== undefined) return found;
  console.log("installing Chromium for the tests …");
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    execFileSync("apt-get", ["update", "-qq"], { stdio: "inherit" });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  } else spawnSync("npx", ["playwright-core", "install", "chromium"], { stdio: "inherit" });
  const now = installed();
  if (now === undefined) throw new Error("the tests need Chromium: type `apt-get install chromium` (as root), or `npx playwright-core install chromium`");
  return now;
}

function installed(): string | undefined {
  const own = chromium.executablePath();
  return [process.env.CHROMIUM_PATH, ...system, own].find((path): path is string => path !== undefined && path !== "" && existsSync(path));
}
