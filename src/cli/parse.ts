import { parseArgs } from "node:util";
import { helpFlag, type Command, type Flags, type Input } from "./command.ts";
import { usageError } from "./failure.ts";
import { suggest } from "./suggest.ts";

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

/**
 * Reads what follows a command's name. Everything that the command does not know is refused: an option that is silently ignored is worse than none.
 * @throws ValidationError `ERR_USAGE`
 */
export function parse(command: Command, args: readonly string[]): Input<Flags> | "help" {
  const known: Flags = { ...command.flags, ...helpFlag };
  const options = Object.fromEntries(Object.entries(known).map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]));
  // Not strict: the errors below say more than Node's. What stands behind `--` is never an option.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  if (tokens.some((token) => token.kind === "option" && token.name === "help")) return "help";
  const flags: Record<string, string | boolean | string[]> = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind === "option") take(command.name, known, flags, token);
  }
  checkOperands(command, operands);
  return { flags: flags as Input<Flags>["flags"], operands };
}

function take(command: string, known: Flags, flags: Record<string, string | boolean | string[]>, { name, rawName, value, inlineValue }: Extract<Token, { kind: "option" }>): void {
  const flag = Object.hasOwn(known, name) ? known[name] : undefined;
  if (flag === undefined) {
    const like = rawName.startsWith("--") ? suggest(name, Object.keys(known)) : undefined;
    throw usageError(`unknown option ${rawName}${like === undefined ? "" : `; did you mean --${like}?`}${/^-\d/.test(rawName) ? '; write "--" before values that begin with "-"' : ""}`, command);
  }
  if (flag.type === "boolean") {
    if (value !== undefined) throw usageError(`--${name} takes no value; leave out ${JSON.stringify(`=${value}`)}`, command);
    flags[name] = true;
    return;
  }
  const what = flag.value ?? "VALUE";
  if (value === undefined || (value === "" && !inlineValue)) throw usageError(`--${name} needs a value: --${name} ${what}`, command);
  // `--token --json` is a forgotten value far more often than a value.
  if (!inlineValue && /^--?[a-z]/i.test(value)) throw usageError(`--${name} needs a value, and ${value} looks like an option; write --${name}=${value} if it is meant`, command);
  if (flag.multiple) flags[name] = [...((flags[name] as string[] | undefined) ?? []), value];
  else if (Object.hasOwn(flags, name)) throw usageError(`--${name} is given twice; give it once`, command);
  else flags[name] = value;
}

function checkOperands({ name, operands }: Command, given: readonly string[]): void {
  const missing = operands.find((operand, i) => operand.required && given[i] === undefined);
  if (missing !== undefined) throw usageError(`${name} needs ${missing.name}: ${missing.about}`, name);
  if (operands.at(-1)?.many || given.length <= operands.length) return;
  const extra = given[operands.length]!;
  throw usageError(`${name} takes ${operands.length === 0 ? "no arguments" : operands.map((operand) => operand.name).join(" and ")}, and ${JSON.stringify(extra)} is one more${/^\d|[{}":,]/.test(extra) && operands.length > 1 ? "; quote JSON for the shell, as '{\"id\": 123}'" : ""}`, name);
}
