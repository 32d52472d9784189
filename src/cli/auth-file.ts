import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { readAuthOptions, type AuthOptions, type RunningServer } from "../hosts/server.ts";
import { failure } from "./failure.ts";
import { parseJson } from "./json-text.ts";
import type { Shell } from "./shell.ts";

/** ms between two looks at the file: what is taken out of it is in force within a second. */
const LOOK = 500;

/**
 * Who may come in, by a file: `{ "apiKeys": […], "jwt": {…}, "certificates": […] }`.
 * @throws ValidationError naming what is wrong; what the file system says of the file.
 */
export function readAuthFile(path: string): AuthOptions {
  return readAuthOptions(parseJson(readFileSync(path, "utf8"), { what: path, hint: 'it is as {"apiKeys": [{"id": "shop", "hash": "…", "permissions": ["publish:order.*"]}]}; see docs/production.md' }));
}

/** Has changes of the file hold while the server runs. Returns how to stop. What cannot be read changes nothing. */
export function watchAuthFile(path: string, { auth }: Pick<RunningServer, "auth">, shell: Pick<Shell, "note" | "debug">): () => void {
  const jwt = JSON.stringify(readAuthFile(path).jwt);
  const read = async (): Promise<void> => {
    try {
      const next = readAuthFile(path);
      await auth?.apiKeys?.replace(next.apiKeys ?? []);
      auth?.certificates?.replace(next.certificates ?? []);
      const later = [(next.apiKeys !== undefined && auth?.apiKeys === undefined && "the first API keys"), (next.certificates !== undefined && auth?.certificates === undefined && "the first certificates"), (JSON.stringify(next.jwt) !== jwt && "changes of jwt")].filter((one) => one !== false);
      shell.note(`event-router: ${path} was read again${later.length === 0 ? "" : `; ${later.join(" and ")} take a restart`}`);
    } catch (error) {
      shell.note(`${failure(error, shell).text}; what was read before stays in force`);
    }
  };
  const changed = (): void => void read();
  watchFile(path, { interval: LOOK, persistent: false }, changed);
  return () => unwatchFile(path, changed);
}
