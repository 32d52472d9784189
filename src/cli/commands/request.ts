import { defineCommand } from "../command.ts";
import { eventJson } from "../event-text.ts";
import { exitCode } from "../failure.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import { readable } from "../text.ts";
import { parsePayload } from "./publish.ts";

export const request = defineCommand({
  name: "request",
  about: "ask whoever responds to a type, and write the payload of the answer as JSON",
  operands: [
    { name: "TYPE", about: "what is asked, as calculator.add", required: true },
    { name: "PAYLOAD", about: "the question's payload as JSON (default: null)" },
  ],
  flags: { ...routerFlags, json: { type: "boolean", about: "write the whole answer, an event, as JSON for machines" } },
  examples: [
    [`request calculator.add '{"x": 10, "y": 20}'`, "ask, and wait 10 seconds at most"],
    [`request report.build '{"year": 2026}' --timeout 2m`, "with more patience"],
  ],
  async run({ flags, operands: [type, text] }, shell) {
    const router = routerAccess("request", flags, shell);
    const payload = text === undefined ? null : parsePayload(text);
    await using client = router.connect();
    const response = await client.request(type!, payload, { timeout: router.timeout, signal: shell.stop });
    await shell.print(flags.json ? eventJson(response) : readable(response.payload));
    return exitCode.done;
  },
});
