/** How long a browser may take for one thing that must come, ms: a machine may have much else to do. */
export const PATIENCE = 120_000;

/** A browser, as far as the tests that run in each of them need it. */
export interface Engine {
  readonly name: string;
  open(url: string): Promise<Tab>;
  close(): Promise<void>;
}

export interface Tab {
  /** Calls an exported function of a module that the page's origin serves (`page-stage.ts`); arguments and result are JSON. */
  call<T = unknown>(module: string, name: string, ...args: readonly unknown[]): Promise<T>;
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What a page evaluates for a call: text, so that nothing that a test runner adds to functions gets into the page. What is thrown comes back as a value: each
 * engine would write it otherwise.
 */
export function callScript(module: string, name: string, args: readonly unknown[]): string {
  return `import("/${module}.js").then((m) => m[${JSON.stringify(name)}](...${JSON.stringify(args)})).then((value) => JSON.stringify({ value }), (error) => JSON.stringify({ error: String(error?.stack?.includes(error.message) ? error.stack : error + "\\n" + (error?.stack ?? "")), code: error?.code }))`;
}

/** @throws Error what the page threw. */
export function resultOf<T>(text: string): T {
  const { value, error, code } = JSON.parse(text) as { value?: T; error?: string; code?: string };
  if (error !== undefined) throw Object.assign(new Error(`in the page: ${error}`), { code });
  return value as T;
}
