import { randomUUID } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { usageError } from "./failure.ts";

/** A text that is there whole or not at all. */
export interface WholeFile extends AsyncDisposable {
  /** Resolves when it is written: nobody need keep more in memory than this. */
  write(text: string): Promise<void>;
  /** Puts the file in its place, on disk. Without that nothing is left of it. */
  finish(): Promise<void>;
}

/** Writes beside the file's place, and moves it there at the end: whoever is interrupted leaves the old one as it was. @throws ValidationError `ERR_USAGE` for a folder. */
export async function wholeFile(path: string, command: string): Promise<WholeFile> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw usageError(`--output ${path} is a folder; name a file in it`, command);
  // Nothing can be moved to the place of /dev/stdout or a pipe.
  const direct = there !== undefined && !there.isFile();
  const draft = direct ? path : `${path}.${randomUUID().slice(0, 8)}.part`;
  const file = await open(draft, direct ? "a" : "wx", 0o600);
  let finished = direct;
  return {
    async write(text) { await file.appendFile(text); },
    async finish() {
      if (direct) return;
      await file.sync();
      await file.close();
      await rename(draft, path);
      finished = true;
    },
    async [Symbol.asyncDispose]() {
      await file.close().catch(() => {});
      if (!finished) await rm(draft, { force: true });
    },
  };
}
