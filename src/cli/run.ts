import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";
import { exitCode, failure, usageError } from "./failure.ts";
import { commandHelp, overview } from "./help.ts";
import { parse } from "./parse.ts";
import { NobodyReads, type Shell } from "./shell.ts";
import { suggest } from "./suggest.ts";

/** Runs one command line; resolves with the exit code. */
export async function run(args: readonly string[], shell: Shell, commands: readonly Command[]): Promise<number> {
  try {
    return await dispatch(args, shell, commands);
  } catch (thrown) {
    // Whatever a command made of the pipe's end, that was the reason.
    if (shell.stop.reason instanceof NobodyReads) return exitCode.done;
    const { text, code } = failure(thrown, shell);
    shell.note(text);
    return code;
  }
}

async function dispatch([first, ...rest]: readonly string[], shell: Shell, commands: readonly Command[]): Promise<number> {
  const find = (name: string): Command => {
    const command = commands.find((one) => one.name === name);
    if (command !== undefined) return command;
    const like = suggest(name, commands.map((one) => one.name));
    throw usageError(`there is no command ${JSON.stringify(name)}${like === undefined ? `; there are ${commands.map((one) => one.name).join(", ")}` : `; did you mean ${like}?`}`);
  };
  if (first === undefined) {
    shell.note(overview(commands).trimEnd());
    return exitCode.usage;
  }
  if (first === "--version" || first === "-v") return tell(shell, version());
  if (first === "--help" || first === "-h") return tell(shell, overview(commands));
  if (first === "help") return tell(shell, rest[0] === undefined ? overview(commands) : commandHelp(find(rest[0])));
  if (first.startsWith("-")) throw usageError(`unknown option ${first}; options of a command follow its name`);
  const command = find(first);
  const input = parse(command, rest);
  return input === "help" ? tell(shell, commandHelp(command)) : await command.run(input, shell);
}

async function tell(shell: Shell, text: string): Promise<number> {
  await shell.print(text.trimEnd());
  return exitCode.done;
}

/** The package's version; its description lies two folders above both the source and what is built of it. */
export function version(): string {
  return (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version;
}
