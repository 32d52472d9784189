import { readFile } from "node:fs/promises";
import type { EventMeta } from "../../index.ts";
import { defineCommand, type Values } from "../command.ts";
import { exitCode, usageError } from "../failure.ts";
import { parseJson } from "../json-text.ts";
import { readCount, readDuration } from "../quantity.ts";
import { routerAccess, routerFlags } from "../router-access.ts";
import type { Shell } from "../shell.ts";
import { json, snakeCase } from "../text.ts";

const flags = {
  "payload-file": { type: "string", value: "FILE", about: "read the payload from a file, - is standard input" },
  source: { type: "string", value: "NAME", about: "who says it" },
  target: { type: "string", value: "NAME", about: "only clients of this name get it" },
  priority: { type: "string", value: "0-9", about: "9 is most urgent (default: 5)" },
  "correlation-id": { type: "string", value: "ID", about: "what the event belongs to" },
  header: { type: "string", value: "NAME=VALUE", about: "a header", multiple: true },
  ttl: { type: "string", value: "DURATION", about: "how long it is delivered, as 10m (default: for ever)" },
  delay: { type: "string", value: "DURATION", about: "hold it back so long, as 10m" },
  stream: { type: "string", value: "NAME", about: "append it to this event stream too" },
  id: { type: "string", value: "ID", about: "an id of your own: the same id is stored once" },
  ...routerFlags,
} as const;

export const publish = defineCommand({
  name: "publish",
  about: "publish one event, and wait until the router has stored it",
  operands: [
    { name: "TYPE", about: "the event's type, as user.created", required: true },
    { name: "PAYLOAD", about: "its payload as JSON (default: null)" },
  ],
  flags,
  examples: [
    [`publish user.created '{"id": 123, "name": "Alice"}'`, "an event with a payload"],
    ["publish order.placed --payload-file order.json --priority 8 --header region=eu", "with the payload of a file"],
    ["publish job.done --id job-42", "safe to repeat: the second time it is there already"],
  ],
  async run({ flags: given, operands: [type, text] }, shell) {
    const router = routerAccess("publish", given, shell);
    const meta = metaOf(given);
    const payload = await payloadOf(text, given["payload-file"], shell);
    await using client = router.connect();
    const receipt = await client.publish({ type: type!, payload, ...meta, signal: shell.stop });
    const { id, status, seq, epoch, timestamp, durability } = receipt;
    await shell.print(given.json ? json(snakeCase({ id, type, seq, epoch, timestamp, status, durability })) : `${status} ${id} ${given.delay === undefined ? `seq ${seq ?? "unknown"}` : `in ${given.delay}`}`);
    return exitCode.done;
  },
});

function metaOf(given: Values<typeof flags>): EventMeta & { readonly delay?: string; readonly stream?: string } {
  const headers = given.header?.map((text) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) throw usageError(`--header is NAME=VALUE; got ${JSON.stringify(text)}`, "publish");
    return [name, value] as const;
  });
  const { source, target, priority, "correlation-id": correlationId, id, ttl, delay, stream } = given;
  for (const [flag, text] of [["--ttl", ttl], ["--delay", delay]] as const) if (text !== undefined) readDuration(text, flag, "publish");
  return {
    ...(ttl !== undefined && { ttl }), ...(delay !== undefined && { delay }), ...(stream !== undefined && { stream }),
    ...(id !== undefined && { id }), ...(source !== undefined && { source }), ...(target !== undefined && { target }),
    ...(priority !== undefined && { priority: readCount(priority, "--priority", "publish", [0, 9]) }),
    ...(correlationId !== undefined && { correlationId }), ...(headers !== undefined && { headers: Object.fromEntries(headers) }),
  };
}

async function payloadOf(text: string | undefined, file: string | undefined, shell: Shell): Promise<unknown> {
  if (file === undefined) return text === undefined ? null : parsePayload(text);
  if (text !== undefined) throw usageError("the payload is given twice; give PAYLOAD or --payload-file", "publish");
  return parseJson(file === "-" ? await readAll(shell.input) : await readFile(file, "utf8"), { what: file === "-" ? "standard input" : file, hint: "mend it and try again" });
}

/** A payload from the command line, with a hint at what most often goes wrong there. */
export function parsePayload(text: string): unknown {
  return parseJson(text, { what: "PAYLOAD", hint: `single quotes keep the shell from taking its double quotes away, as '{"id": 123}' or '"text"'` });
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
}
