import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { usageError } from "./failure.ts";

/**
 * The folder with the built playground: the one that was named, else the package's own, which lies at the same place seen from the source and from what is built of it.
 * @returns undefined if the package's own is not built.
 */
export function playgroundFolder(named: string | undefined): string | undefined {
  const folder = named ?? fileURLToPath(new URL("../../dist/playground", import.meta.url));
  if (existsSync(join(folder, "index.html"))) return folder;
  if (named !== undefined) throw usageError(`--playground ${named} is no folder with an index.html`, "start");
  return undefined;
}
