import { helpFlag, type Command, type Flags, type Operand } from "./command.ts";

/** The page of the program. */
export function overview(commands: readonly Command[]): string {
  return `Usage: event-router COMMAND [OPTIONS]

${section("Commands", commands.map(({ name, about }) => [name, about]))}

${section("Options", [["-h, --help", "show this help, or that of a command"], ["-v, --version", "show the version"]])}

Exit codes: 0 done, 1 failed, 2 called wrongly.
Environment: EVENT_ROUTER_URL, EVENT_ROUTER_TOKEN, EVENT_ROUTER_API_KEY (of commands that talk to a router),
each option of start, as EVENT_ROUTER_STORE and EVENT_ROUTER_API_KEYS, NO_COLOR, DEBUG (stacks of errors).

Start with:  event-router start
Then:        event-router COMMAND --help
`;
}

/** The page of a command. */
export function commandHelp({ name, about, operands, flags, examples }: Command): string {
  const usage = ["Usage: event-router", name, ...operands.map(shape), "[OPTIONS]"].join(" ");
  const pages = [usage, sentence(about)];
  if (operands.length > 0) pages.push(section("Arguments", operands.map((operand) => [operand.name, operand.about])));
  pages.push(section("Options", Object.entries<Flag>({ ...flags, ...helpFlag }).map(([flag, { short, value, type, about: purpose, multiple }]) => [
    `${short === undefined ? "" : `-${short}, `}--${flag}${type === "string" ? ` ${value ?? "VALUE"}` : ""}`,
    multiple ? `${purpose} (repeatable)` : purpose,
  ])));
  if (examples.length > 0) pages.push(`Examples:\n${examples.map(([line, purpose]) => `  # ${purpose}\n  event-router ${line}`).join("\n")}`);
  return `${pages.join("\n\n")}\n`;
}

type Flag = Flags[string];

function shape({ name, required, many }: Operand): string {
  const text = many ? `${name}…` : name;
  return required ? text : `[${text}]`;
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

function section(title: string, rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return `${title}:\n${rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n")}`;
}
