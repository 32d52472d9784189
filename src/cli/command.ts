import type { Shell } from "./shell.ts";

/** An option of a command, written `--name VALUE` or, as a switch, `--name`. */
export interface Flag {
  readonly type: "string" | "boolean";
  readonly about: string;
  /** What the help calls the value. */
  readonly value?: string;
  /** All that the value may be, for a shell that completes it. */
  readonly choices?: readonly string[];
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: true;
}
export type Flags = Readonly<Record<string, Flag>>;

/** What stands without a name on the command line, in order. Only the last may take `many`. */
export interface Operand {
  readonly name: string;
  readonly about: string;
  readonly required?: true;
  readonly many?: true;
  readonly choices?: readonly string[];
}

export type Values<F extends Flags> = {
  readonly [Name in keyof F]?: F[Name] extends { type: "boolean" } ? boolean : F[Name] extends { multiple: true } ? readonly string[] : string;
};

export interface Input<F extends Flags> {
  readonly flags: Values<F>;
  readonly operands: readonly string[];
}

export interface Command<F extends Flags = Flags> {
  readonly name: string;
  readonly about: string;
  readonly operands: readonly Operand[];
  readonly flags: F;
  /** What follows the program's name, and what it is for. */
  readonly examples: readonly (readonly [line: string, about: string])[];
  /** Resolves with the exit code when the command is done. What it throws is told on stderr. */
  run(input: Input<F>, shell: Shell): Promise<number>;
}

/** Ties the types of a command's flags to what its `run` gets. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}

/** Every command has this one. */
export const helpFlag = { help: { type: "boolean", short: "h", about: "show this help" } } as const satisfies Flags;
