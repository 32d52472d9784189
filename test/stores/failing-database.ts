import type { SqliteDatabase, SqliteStatement } from "../../src/stores/sqlite.ts";

export interface Failing {
  readonly db: SqliteDatabase;
  /** From the `nth` statement on, `count` of them throw: before they take effect, or after. */
  arm(nth: number, count: number, when: "before" | "after"): void;
  /** Whether it threw since it was armed; it throws no more. */
  disarm(): boolean;
}

/** A database that fails on request. */
export function failing(inner: SqliteDatabase): Failing {
  let left = Infinity;
  let count = 0;
  let when: "before" | "after" = "before";
  let threw = false;

  function step<T>(work: () => T): T {
    const fails = --left <= 0 && left > -count;
    if (!fails) return work();
    threw = true;
    if (when === "after") work();
    throw new Error("injected: disk I/O error");
  }

  return {
    db: {
      exec: (sql) => step(() => inner.exec(sql)),
      prepare(sql) {
        const statement = inner.prepare(sql);
        return {
          run: (...parameters) => step(() => statement.run(...parameters)),
          get: (...parameters) => step(() => statement.get(...parameters)),
          all: (...parameters) => step(() => statement.all(...parameters)),
        } satisfies SqliteStatement;
      },
    },
    arm(nth, times, mode) {
      [left, count, when, threw] = [nth, times, mode, false];
    },
    disarm() {
      left = Infinity;
      return threw;
    },
  };
}
