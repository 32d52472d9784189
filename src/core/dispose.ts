/** `Symbol.asyncDispose`, also where the engine has none yet (Safari 26): the fallback is the one TypeScript and esbuild emit. */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
