import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, test } from "vitest";
import { sqliteStore, type SqliteDatabase } from "../../src/stores/sqlite.ts";
import { sqlite } from "../contract/store/factories.ts";
import type { StoreFactory } from "../contract/store/kit.ts";
import { storeContract } from "../contract/store/store-contract.ts";

/** A database as a Durable Object has it: transactions only by a function, no `BEGIN`, no pragmas, `ArrayBuffer` for bytes; and null where there is no row, as in `bun:sqlite`. */
function confined(inner: DatabaseSync): SqliteDatabase {
  const allow = (sql: string) => {
    if (/\b(BEGIN|COMMIT|ROLLBACK|PRAGMA)\b/.test(sql)) throw new Error(`not allowed here: ${sql}`);
    return sql;
  };
  return {
    exec: (sql) => inner.exec(allow(sql)),
    prepare(sql) {
      const statement = inner.prepare(allow(sql));
      return {
        run: (...parameters) => statement.run(...parameters),
        get(...parameters) {
          const row = statement.get(...parameters) ?? null;
          if (row?.bytes instanceof Uint8Array) return { bytes: row.bytes.slice().buffer };
          return row;
        },
        all: (...parameters) => statement.all(...parameters),
      };
    },
    transactionSync(work) {
      inner.exec("BEGIN");
      try {
        const result = work();
        inner.exec("COMMIT");
        return result;
      } catch (error) {
        inner.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

const passedIn: StoreFactory = {
  durable: true,
  async make(onError) {
    const db = confined(new DatabaseSync(":memory:"));
    const open = () => sqliteStore(db, { onError });
    return { store: await open(), reopen: open, async cleanup() {} };
  },
};

describe("a file", () => storeContract({ test }, sqlite, fc));
describe("a database with transactions of its own", () => storeContract({ test }, passedIn, fc));
