import { styleText } from "node:util";
import { defineCommand } from "../command.ts";
import type { Finding } from "../doctor/finding.ts";
import { checkRouter } from "../doctor/running-router.ts";
import { exitCode } from "../failure.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import { json, safe } from "../text.ts";

const colours = { ok: "green", warning: "yellow", failed: "red" } as const;

export const doctor = defineCommand({
  name: "doctor",
  about: "check a configuration and a running router, and say what is wrong",
  operands: [],
  flags: {
    config: { type: "string", value: "FILE", about: "check this configuration of start; then a router only if --url is given too" },
    ...routerFlags,
  },
  examples: [
    ["doctor", "the router on this machine"],
    ["doctor --config router.json", "before it is started: options, port, folder, retention"],
    ["doctor --url https://events.example.com --api-key $KEY", "through the proxies on the way: WebSocket, event stream, clock, rights"],
  ],
  async run({ flags }, shell) {
    const router = routerAccess("doctor", flags, shell);
    const findings: Finding[] = [];
    const tell = async (finding: Finding): Promise<void> => {
      findings.push(finding);
      const word = finding.state.padEnd(8);
      if (!flags.json) await shell.print(`${shell.colour ? styleText(colours[finding.state], word, { validateStream: false }) : word} ${finding.name.padEnd(14)} ${safe(finding.message)}`);
    };
    const { checkConfiguration } = await import("../doctor/configuration.ts");
    if (flags.config !== undefined) for await (const finding of checkConfiguration(flags.config, shell)) await tell(finding);
    if (flags.config === undefined || flags.url !== undefined) for await (const finding of checkRouter(router, shell)) await tell(finding);
    if (flags.json) await shell.print(json(findings));
    return findings.some(({ state }) => state === "failed") ? exitCode.failed : exitCode.done;
  },
});
