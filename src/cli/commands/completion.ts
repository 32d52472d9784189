import { defineCommand, type Command } from "../command.ts";
import { completionScript, shells } from "../completion-script.ts";
import { exitCode, usageError } from "../failure.ts";

/** @param commands All there are, asked for when it runs: this is one of them. */
export function completionCommand(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: "completion",
    about: "write a script that teaches your shell the commands and options",
    operands: [{ name: "SHELL", about: shells.join(", "), required: true, choices: shells }],
    flags: {},
    examples: [
      ["completion bash > ~/.local/share/bash-completion/completions/event-router", "for bash"],
      ["completion zsh > ~/.zfunc/_event-router", "for zsh, with ~/.zfunc in $fpath"],
      ["completion fish > ~/.config/fish/completions/event-router.fish", "for fish"],
    ],
    async run({ operands: [name] }, shell) {
      const known = shells.find((one) => one === name);
      if (known === undefined) throw usageError(`SHELL is ${shells.join(", ")}; got ${JSON.stringify(name)}`, "completion");
      await shell.write(completionScript(known, commands()));
      return exitCode.done;
    },
  });
}
