import { inspect } from "node:util";
import { EventRouterError, ValidationError } from "../index.ts";
import { systemError } from "./system-error.ts";
import { safe } from "./text.ts";

/** The exit codes: done, failed, called wrongly. */
export const exitCode = { done: 0, failed: 1, usage: 2 } as const;

/** An error of whoever typed the command, with a pointer to the help. */
export function usageError(message: string, command?: string): ValidationError {
  return new ValidationError("ERR_USAGE", message, { details: { help: command === undefined ? "event-router --help" : `event-router ${command} --help` } });
}

/** What an error says on stderr, and the exit code it means. A stack is for whoever set DEBUG. */
export function failure(thrown: unknown, { debug }: { debug: boolean }): { readonly text: string; readonly code: number } {
  const message = messageOf(thrown);
  const lines = [`event-router: ${message} (${codeOf(thrown)})`];
  if (thrown instanceof EventRouterError && typeof thrown.details.help === "string") lines.push(`Type \`${thrown.details.help}\` for help.`);
  if (debug) lines.push(inspect(thrown));
  return { text: lines.map(safe).join("\n"), code: thrown instanceof ValidationError ? exitCode.usage : exitCode.failed };
}

/** Of any error, in words for somebody at a shell. */
export function messageOf(thrown: unknown): string {
  const message = systemError(thrown) ?? (thrown instanceof Error ? thrown.message : String(thrown));
  // What a program would call is nothing to type.
  return codeOf(thrown) === "ERR_CONNECTION_FAILED" ? message.replace(/; no more attempts: .*$/s, "; see that a router runs there, and that --url is right") : message;
}

function codeOf(thrown: unknown): string {
  const code: unknown = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "ERR_INTERNAL";
}
