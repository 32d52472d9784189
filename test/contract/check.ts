/** The few assertions the contract suites need, so that the same files run where there is no test runner and no `node:assert`. */

export function equal(actual: unknown, expected: unknown, what = "values"): void {
  if (!same(actual, expected)) throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>, what = "the call"): Promise<Error & { code?: string; retryable?: boolean }> {
  try {
    await promise;
  } catch (error) {
    ok(error instanceof Error, `${what} must reject with an Error, got ${show(error)}`);
    return error;
  }
  throw new Error(`${what} must reject`);
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length
    && keys.every((key) => Object.hasOwn(b, key) && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value, (_, inner: unknown) => (inner === undefined ? "(undefined)" : inner)) ?? String(value);
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text;
}
