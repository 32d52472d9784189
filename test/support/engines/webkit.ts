import { spawn } from "node:child_process";
import { findInstalled } from "../browser.ts";
import { fixedPort } from "../fixed-port.ts";
import { callScript, PATIENCE, resultOf, type Engine } from "./engine.ts";

/** WebKitGTK, driven by WebDriver: its MiniBrowser on a screen in memory. */
export async function startWebKit(): Promise<Engine> {
  const driver = findInstalled("webkit");
  const port = await fixedPort();
  const child = spawn("xvfb-run", ["-a", driver, `--port=${port}`], { detached: true, stdio: "ignore", env: { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", LIBGL_ALWAYS_SOFTWARE: "1" } });
  const address = `http://127.0.0.1:${port}`;
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(address + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const { value } = (await response.json()) as { value: { error?: string; message?: string } };
    if (!response.ok) throw new Error(`WebDriver, ${method} ${path}: ${value.error} ${value.message}`);
    return value;
  };
  while (!(await fetch(`${address}/status`).then(() => true, () => false))) {
    if (child.exitCode !== null) throw new Error(`WebKitWebDriver ended with ${child.exitCode} before it answered`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { sessionId } = (await ask("POST", "/session", { capabilities: { alwaysMatch: { timeouts: { script: 300_000, pageLoad: PATIENCE } } } })) as { sessionId: string };
  const session = `/session/${sessionId}`;
  const first = (await ask("GET", `${session}/window`)) as string;
  // WebDriver talks to one window at a time: calls to different tabs take turns.
  let turn: Promise<unknown> = Promise.resolve();
  const inWindow = <T>(handle: string, run: () => Promise<T>): Promise<T> => {
    const next = turn.then(async () => {
      await ask("POST", `${session}/window`, { handle });
      return run();
    });
    turn = next.catch(() => {});
    return next;
  };
  return {
    name: "WebKit",
    async open(url) {
      const { handle } = await inWindow(first, async () => (await ask("POST", `${session}/window/new`, { type: "tab" })) as { handle: string });
      await inWindow(handle, () => ask("POST", `${session}/url`, { url }));
      return {
        async call(module, name, ...args) {
          const script = `const done = arguments[0]; ${callScript(module, name, args)}.then(done);`;
          return resultOf((await inWindow(handle, () => ask("POST", `${session}/execute/async`, { script, args: [] }))) as string);
        },
        reload: () => inWindow(handle, async () => void (await ask("POST", `${session}/refresh`, {}))),
        close: () => inWindow(handle, async () => void (await ask("DELETE", `${session}/window`))),
      };
    },
    async close() {
      await ask("DELETE", session).catch(() => {});
      const gone = new Promise((resolve) => child.once("close", resolve));
      // xvfb-run and what it started.
      process.kill(-child.pid!, "SIGTERM");
      await gone;
    },
  };
}
