import { installBrowser } from "../support/browser.ts";
import { installPromtool } from "../support/promtool.ts";
import { installRedis } from "../support/redis-server.ts";

/** What the tests need besides packages: three browsers, promtool and redis-server. They are installed if they are missing and that is possible here; else the command to type is told. */
export default function prepare(): void {
  for (const name of ["chromium", "firefox", "webkit"] as const) installBrowser(name);
  installPromtool();
  installRedis();
}
