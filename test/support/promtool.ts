import { execFileSync, spawnSync } from "node:child_process";

/**
 * The command that checks what Prometheus would scrape. It is installed from Debian's package if this is root on Debian.
 * @throws Error that says what to type.
 */
export function installPromtool(): void {
  if (isThere()) return;
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    console.log("installing promtool for the tests …");
    execFileSync("apt-get", ["update", "-qq"], { stdio: "inherit" });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "prometheus"], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  }
  if (!isThere()) throw new Error("the tests need promtool, which comes with Prometheus: type `apt-get install prometheus` (as root)");
}

/** What `promtool check metrics` finds wrong, one fault a line. */
export function lintMetrics(text: string): string[] {
  const { stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  return `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
}

function isThere(): boolean {
  return spawnSync("promtool", ["--version"]).status === 0;
}
