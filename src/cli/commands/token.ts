import { readAuthFile } from "../auth-file.ts";
import { defineCommand, type Values } from "../command.ts";
import { exitCode, usageError } from "../failure.ts";
import { readDuration } from "../quantity.ts";
import type { Shell } from "../shell.ts";
import { json } from "../text.ts";

const flags = {
  "api-key": { type: "boolean", about: "make an API key: the key, to be given away once, and what goes into the file of --auth" },
  id: { type: "string", value: "NAME", about: "the key's id, the part before its dot (with --api-key)" },
  auth: { type: "string", value: "FILE", about: "the file that start --auth reads: its jwt has issuer, audience and the secret to sign with" },
  kid: { type: "string", value: "KID", about: "the key of that file to sign with (default: its first with a secret)" },
  subject: { type: "string", value: "NAME", about: "who the holder is, the publisher of its events" },
  permission: { type: "string", value: "PERMISSION", multiple: true, about: "publish:order.*, subscribe:…, request:…, respond:…, deny:subscribe:…, manage or admin" },
  namespace: { type: "string", value: "NAME", multiple: true, about: 'a namespace it is good for, "*" for all (default: default)' },
  expires: { type: "string", value: "DURATION", about: "how long it is good (default: 1h for a token, without end for an API key)" },
  json: { type: "boolean", about: "write JSON for machines" },
} as const;

export const token = defineCommand({
  name: "token",
  about: "make a token (JWT) or an API key",
  operands: [],
  flags,
  examples: [
    ["token --api-key --id shop --permission 'publish:order.*' --permission 'subscribe:order.**'", "an API key for a service"],
    ["token --auth auth.json --subject alice --permission 'subscribe:**' --expires 15m", "a token, signed with the secret in the file"],
    ['monitor --token "$(event-router token --auth auth.json --subject me --permission admin)"', "a look at a router that asks who one is"],
  ],
  async run({ flags: given }, shell) {
    if (given.permission === undefined) throw usageError("token needs at least one --permission, such as subscribe:order.*; what is not allowed is denied", "token");
    return given["api-key"] ? makeKey(given, shell) : makeToken(given, shell);
  },
});

async function makeKey({ id, auth, kid, subject, permission, namespace, expires, json: asJson }: Values<typeof flags>, shell: Shell): Promise<number> {
  if (id === undefined) throw usageError("an API key needs --id, a name for it, as shop", "token");
  if (auth !== undefined || kid !== undefined) throw usageError("--auth and --kid are for tokens; an API key is made of nothing but chance", "token");
  const { createApiKey } = await import("../../router.ts");
  const expiresAt = expires === undefined ? undefined : new Date(Date.now() + readDuration(expires, "--expires", "token")).toISOString();
  const { key, entry } = await createApiKey({ id, permissions: permission!, ...(subject !== undefined && { subject }), ...(namespace !== undefined && { namespaces: namespace }), ...(expiresAt !== undefined && { expiresAt }) });
  await shell.print(asJson ? json({ key, entry }) : `${key}\n\nThat is the key; it is not shown again. Among the apiKeys in the file of start --auth goes:\n\n${JSON.stringify(entry)}`);
  return exitCode.done;
}

async function makeToken({ id, auth, kid, subject, permission, namespace, expires, json: asJson }: Values<typeof flags>, shell: Shell): Promise<number> {
  if (id !== undefined) throw usageError("--id is for API keys; give --api-key too, or --subject for a token", "token");
  if (auth === undefined || subject === undefined) throw usageError("a token needs --auth FILE, with the secret to sign with, and --subject NAME; for an API key give --api-key", "token");
  const { jwt } = readAuthFile(auth);
  const key = jwt?.keys?.filter((one) => "secret" in one).find((one) => kid === undefined || one.kid === kid);
  if (jwt === undefined || key === undefined) throw usageError(`${auth} has no secret to sign with${kid === undefined ? "" : ` called ${kid}`}: its jwt.keys need one as {"kid":"2026-11","alg":"HS256","secret":"…"}`, "token");
  const { createToken } = await import("../../router.ts");
  const made = await createToken(key, {
    issuer: jwt.issuer, audience: jwt.audience, subject, permissions: permission!, ...(namespace !== undefined && { namespaces: namespace }),
    ...(expires !== undefined && { expiresIn: readDuration(expires, "--expires", "token") }),
  });
  await shell.print(asJson ? json({ token: made }) : made);
  return exitCode.done;
}
