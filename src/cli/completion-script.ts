import { helpFlag, type Command, type Flag } from "./command.ts";

export const shells = ["bash", "zsh", "fish"] as const;

/** A script that teaches a shell the commands and their options. */
export function completionScript(shell: (typeof shells)[number], commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](commands);
}

function flagsOf({ flags }: Command): readonly (readonly [name: string, flag: Flag])[] {
  return Object.entries<Flag>({ ...flags, ...helpFlag });
}

function isPath({ value }: Flag): boolean {
  return value === "FILE" || value === "DIR";
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const flags = flagsOf(command);
    const named = (wanted: (flag: Flag) => boolean): string => flags.filter(([, flag]) => wanted(flag)).map(([name]) => `--${name}`).join(" ");
    return `    ${command.name}) options="${named(() => true)}"; paths="${named(isPath)}"; values="${named((flag) => flag.type === "string" && !isPath(flag))}" ;;`;
  });
  return `# event-router completion bash > /etc/bash_completion.d/event-router, or: source <(event-router completion bash)
_event_router() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" options="" paths="" values=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), "help", "--help", "--version"].join(" ")}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    help) [ "$COMP_CWORD" -eq 2 ] && COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$current")); return ;;
    *) return ;;
  esac
  case " $paths " in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case " $values " in *" $previous "*) return ;; esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -F _event_router event-router
`;
}

function zsh(commands: readonly Command[]): string {
  const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, "\\$&");
  const option = ([name, flag]: readonly [string, Flag]): string => {
    const value = flag.type === "boolean" ? "" : `:${flag.value ?? "VALUE"}:${isPath(flag) ? "_files" : ""}`;
    return `'${flag.multiple ? "*" : ""}--${name}[${quoted(flag.about)}]${value}'`;
  };
  return `#compdef event-router
# event-router completion zsh > a folder of your $fpath, named _event-router
_event_router() {
  local -a commands
  commands=(${commands.map(({ name, about }) => `'${name}:${quoted(about)}'`).join(" ")})
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map((command) => `    ${command.name}) _arguments ${flagsOf(command).map(option).join(" ")} '*:argument:_files' ;;`).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_event-router" ]; then _event_router "$@"; else compdef _event_router event-router; fi
`;
}

function fish(commands: readonly Command[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap((command) => [
    `complete -c event-router -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.about)}`,
    ...flagsOf(command).map(([name, flag]) => {
      const value = flag.type === "boolean" ? "" : isPath(flag) ? " -r -F" : " -x";
      return `complete -c event-router -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${flag.short === undefined ? "" : ` -s ${flag.short}`}${value} -d ${quoted(flag.about)}`;
    }),
  ]);
  return `# event-router completion fish > ~/.config/fish/completions/event-router.fish\n${lines.join("\n")}\n`;
}
