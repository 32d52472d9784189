import type { Store } from "../core/store.ts";
import { memoryStore } from "../stores/memory.ts";

/** The store that an option names. `own`: it was opened here, so it is closed here. */
export async function openStore(option: Store | string, { randomBytes, onError, onWarning }: { randomBytes(count: number): Uint8Array; onError(error: unknown): void; onWarning(message: string): void }): Promise<{ readonly store: Store; readonly own: boolean }> {
  if (typeof option !== "string") return { store: option, own: false };
  if (option === "memory") return { store: memoryStore({ randomBytes, onError }), own: true };
  if (/^rediss?:/.test(option)) {
    const { redisStore } = await import("../stores/redis.ts");
    return { store: await redisStore(option, { randomBytes, onError, onWarning: ({ message }) => onWarning(message) }), own: true };
  }
  // Only who asks for SQLite needs a runtime that has it.
  const { sqliteStore } = await import("../stores/sqlite.ts");
  return { store: await sqliteStore(option.slice("sqlite:".length), { randomBytes, onError }), own: true };
}
