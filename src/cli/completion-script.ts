import { helpFlag, type Command, type Flag, type Operand } from "./command.ts";

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

/** What a shell offers for an argument without a name: words, files or nothing. */
function isFile({ name }: Operand): boolean {
  return name === "FILE";
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const flags = flagsOf(command);
    const named = (wanted: (flag: Flag) => boolean): string => flags.filter(([, flag]) => wanted(flag)).flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]).join(" ");
    const words = flags.filter(([, { choices }]) => choices !== undefined).map(([name, { choices }]) => `--${name}=${choices!.join(",")}`).join(" ");
    const [first] = command.operands;
    return `    ${command.name}) options="${named(() => true)}"; paths="${named(isPath)}"; values="${named((flag) => flag.type === "string" && !isPath(flag))}"; words="${words}"; first="${first?.choices?.join(" ") ?? ""}"; files=${first !== undefined && isFile(first) ? "yes" : ""} ;;`;
  });
  return `# event-router completion bash > /etc/bash_completion.d/event-router, or: source <(event-router completion bash)
_event_router() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" options="" paths="" values="" words="" first="" files="" word i named=0
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
  for word in $words; do
    [ "\${word%%=*}" = "$previous" ] && { word="\${word#*=}"; COMPREPLY=($(compgen -W "\${word//,/ }" -- "$current")); return; }
  done
  case " $paths " in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case " $values " in *" $previous "*) return ;; esac
  case "$current" in -*) COMPREPLY=($(compgen -W "$options" -- "$current")); return ;; esac
  for ((i = 2; i < COMP_CWORD; i++)); do
    case " $paths $values " in *" \${COMP_WORDS[i]} "*) ((i++)); continue ;; esac
    case "\${COMP_WORDS[i]}" in -*) ;; *) ((named++)) ;; esac
  done
  [ "$named" -gt 0 ] && return
  [ -n "$files" ] && COMPREPLY=($(compgen -f -- "$current")) || COMPREPLY=($(compgen -W "$first" -- "$current"))
}
complete -F _event_router event-router
`;
}

function zsh(commands: readonly Command[]): string {
  const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, "\\$&");
  const option = ([name, flag]: readonly [string, Flag]): string => {
    const value = flag.type === "boolean" ? "" : `:${flag.value ?? "VALUE"}:${isPath(flag) ? "_files" : flag.choices === undefined ? " " : `(${flag.choices.join(" ")})`}`;
    const spec = `[${quoted(flag.about)}]${value}`;
    if (flag.short !== undefined) return `'(-${flag.short} --${name})'{-${flag.short},--${name}}'${spec}'`;
    return `'${flag.multiple ? "*" : ""}--${name}${spec}'`;
  };
  const operand = (one: Operand, i: number): string => `'${one.many ? "*" : i + 1}:${one.name}:${isFile(one) ? "_files" : one.choices === undefined ? " " : `(${one.choices.join(" ")})`}'`;
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
  if [[ $command == help ]]; then
    (( CURRENT == 3 )) && _describe -t commands command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map((command) => `    ${command.name}) _arguments ${[...flagsOf(command).map(option), ...command.operands.map(operand)].join(" ")} ;;`).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_event-router" ]; then _event_router "$@"; else compdef _event_router event-router; fi
`;
}

function fish(commands: readonly Command[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap((command) => {
    const line = `complete -c event-router -n '__fish_seen_subcommand_from ${command.name}'`;
    const [first] = command.operands;
    return [
      `complete -c event-router -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.about)}`,
      // Files are offered where files are meant.
      ...(first !== undefined && isFile(first) ? [] : [`${line} -f`]),
      ...(first?.choices === undefined ? [] : [`complete -c event-router -n '__fish_seen_subcommand_from ${command.name}; and not __fish_seen_subcommand_from ${first.choices.join(" ")}' -f -a ${quoted(first.choices.join(" "))}`]),
      ...flagsOf(command).map(([name, flag]) => {
        const value = flag.type === "boolean" ? "" : isPath(flag) ? " -r -F" : flag.choices === undefined ? " -x" : ` -x -a ${quoted(flag.choices.join(" "))}`;
        return `${line} -l ${name}${flag.short === undefined ? "" : ` -s ${flag.short}`}${value} -d ${quoted(flag.about)}`;
      }),
    ];
  });
  lines.push(`complete -c event-router -n __fish_use_subcommand -f -a help -d 'show help'`, `complete -c event-router -n '__fish_seen_subcommand_from help' -f -a ${quoted(commands.map(({ name }) => name).join(" "))}`);
  return `# event-router completion fish > ~/.config/fish/completions/event-router.fish\n${lines.join("\n")}\n`;
}
