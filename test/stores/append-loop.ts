// A process of its own that appends until it is killed, and says what was acked: `ready <epoch> <head>`, then `<first number> <count> <first seq>` a line.
import { writeSync } from "node:fs";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { instance } from "../contract/store/drafts.ts";

const [file = "", name = ""] = process.argv.slice(2);
const log = await (await sqliteStore(file)).open("default");
// Written at once: what an ack says must be out before the next append begins.
const say = (text: string) => writeSync(1, `${text}\n`);
say(`ready ${log.epoch} ${log.head}`);

const publisher = instance(name);
for (let number = 1; ; ) {
  const count = 1 + (number % 37);
  const batches = Array.from({ length: count }, (_, index) => publisher.batch(number + index));
  const [first] = (await log.append(batches)).flat();
  say(`${number} ${count} ${first?.state === "appended" ? first.seq : "?"}`);
  number += count;
}
