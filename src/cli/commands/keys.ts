import { randomBytes } from "node:crypto";
import { defineCommand } from "../command.ts";
import { exitCode, usageError } from "../failure.ts";
import { json } from "../text.ts";

const KEY_LENGTH = 32;

export const keys = defineCommand({
  name: "keys",
  about: "make a key for end-to-end encryption, which the router never sees",
  operands: [{ name: "ACTION", about: "generate: write a new random key of 32 bytes, as base64", required: true, choices: ["generate"] }],
  flags: {
    kid: { type: "string", value: "NAME", about: "the key's name, by which clients tell several apart, as 2026-11 (default: default)" },
    json: { type: "boolean", about: "write name, key and algorithm as JSON for machines" },
  },
  examples: [
    ["keys generate", "a key, for the client's option encryption: { key }"],
    ["keys generate --kid 2026-11", "a key and its name, for encryption: { keys, activeKey }"],
    ["keys generate --json | vault kv put secret/events -", "straight to where secrets are kept"],
  ],
  async run({ flags, operands: [action] }, shell) {
    if (action !== "generate") throw usageError(`keys can generate; it knows no ${JSON.stringify(action)}`, "keys");
    const { kid } = flags;
    if (kid !== undefined && !/^[\w.:-]{1,64}$/.test(kid)) throw usageError(`--kid is a name of 1 to 64 characters of A-Z a-z 0-9 _ . : -; got ${JSON.stringify(kid)}`, "keys");
    const key = randomBytes(KEY_LENGTH).toString("base64");
    await shell.print(flags.json ? json({ kid: kid ?? "default", key, algorithm: "AES-256-GCM" }) : kid === undefined ? key : `${kid} ${key}`);
    return exitCode.done;
  },
});
