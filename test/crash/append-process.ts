// Appends to a SQLite store, one event after another, and says so behind each: for a test that looks at its system calls.
import { writeSync } from "node:fs";
import { sqliteStore } from "../../src/stores/sqlite.ts";

const [file, count] = process.argv.slice(2) as [string, string];
const store = await sqliteStore(file);
const log = await store.open("default");
for (let i = 1; i <= Number(count); i++) {
  await log.append([{ publisher: "", run: false, drafts: [{ id: `e${i}`, type: "t", time: i, body: `,${i},0,"e${i}","t",${i}]`, own: `,${i},0,`.length }] }]);
  writeSync(1, `ACK ${i}\n`);
}
await store.close();
