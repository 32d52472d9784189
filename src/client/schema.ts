import { ValidationError } from "../core/errors.ts";
import type { SchemaResult, StandardSchema } from "./typed-events.ts";

/**
 * The value as the schema has it, at once if the schema is synchronous.
 * @throws ValidationError `ERR_SCHEMA` with the path of each issue.
 */
export function validate<Output>(schema: StandardSchema<unknown, Output>, value: unknown, what: string): Output | Promise<Output> {
  const outputOf = (result: SchemaResult<Output>): Output => {
    if (result.issues === undefined) return result.value;
    const issues = result.issues.map(({ message, path = [] }) => ({ path: ["payload", ...path.map((step) => String(typeof step === "object" ? step.key : step))].join("."), message }));
    throw new ValidationError("ERR_SCHEMA", `${what} does not fit its schema: ${issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`, { details: { path: issues[0]?.path, issues } });
  };
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(outputOf) : outputOf(result);
}
