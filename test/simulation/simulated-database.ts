import { DatabaseSync } from "node:sqlite";
import type { SqliteDatabase, SqliteStatement, SqliteValue } from "../../src/stores/sqlite.ts";
import type { Fault, Faults } from "./faults.ts";

/** What a statement is about: the steps between which a process can be killed. */
function stepOf(sql: string): string | undefined {
  const text = sql.trimStart();
  if (/^(BEGIN|COMMIT)/.test(text)) return text.slice(0, text.startsWith("BEGIN") ? 5 : 6);
  if (text.startsWith("INSERT INTO er_log_")) return "block";
  if (text.includes("INTO er_producers")) return "mark";
  if (text.includes("INTO er_ids")) return "id";
  if (text.startsWith("UPDATE er_namespaces")) return "first";
  if (text.startsWith("DELETE FROM er_log_")) return "drop";
  return undefined;
}

/**
 * A disk with one SQLite database on it, which outlives the processes that use it. What SQLite itself guarantees is taken for granted here (`test/crash` looks at
 * that): what was not committed when a process died is gone.
 */
export class Disk {
  readonly #db = new DatabaseSync(":memory:");

  /** The database as one process has it open. @param befall what befalls the process at a step */
  open(faults: Faults, dead: () => boolean, befall: (fault: Fault) => void): SqliteDatabase {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    const around = <T>(sql: string, work: () => T): T => {
      if (dead()) throw new Error("the process is dead");
      const step = stepOf(sql);
      const fault = step === undefined ? undefined : faults.take(`sql:${step}`);
      if (fault === undefined) return work();
      if (fault.behind) work();
      if (fault.verdict === "crash") befall(fault);
      throw new Error(`disk I/O error at ${fault.at}`);
    };
    const statement = (sql: string): SqliteStatement => {
      const inner = this.#db.prepare(sql);
      return {
        run: (...values: SqliteValue[]) => around(sql, () => inner.run(...values)),
        get: (...values: SqliteValue[]) => around(sql, () => inner.get(...values)),
        all: (...values: SqliteValue[]) => around(sql, () => inner.all(...values)),
      };
    };
    return { exec: (sql) => around(sql, () => this.#db.exec(sql)), prepare: statement };
  }

  close(): void {
    this.#db.close();
  }
}
