// What the bench of encryption in a browser does in a page: one contender, one size; payloads sealed and opened each second.
import { gcm } from "@noble/ciphers/aes.js";
import { openVault } from "../../../src/client/encryption/open-vault.ts";
import { Feed } from "../../../src/client/feed.ts";
import { binding, KEY_BYTES, naiveJwe, nobleJwe, textOf } from "./jwe.mjs";

const WARM = 150, MEASURED = 500, FLIGHT = 64;

const contenders = {
  WebCrypto: naiveJwe,
  noble: (text) => nobleJwe(text, gcm),
  /** As a client does it for what it publishes, and for what a subscription gets. */
  async ours(text) {
    const vault = await openVault({ key: KEY_BYTES }, { connection: {}, options: {}, requests: {}, randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)), report: (error) => { throw error; } });
    const { id, type } = binding;
    const seal = () => new Promise((resolve, reject) => {
      const one = { settled: false, events: [{ id, type, text: { head: `"${type}",`, payload: text, tail: "]" }, line: "", own: true }] };
      if (vault.seal(one, (error) => (error === undefined ? resolve(one) : reject(error)))) resolve(one);
    });
    const payload = JSON.parse((await seal()).events[0].line)[2];
    const feed = new Feed(1, ["**"], { began() {}, ended() {}, gap() {} }, () => {});
    feed.asked = { topics: ["**"] };
    vault.guard(feed);
    const open = async () => {
      const event = { id, type, payload };
      await vault.openEvent(event);
      return event.payload;
    };
    return { seal, open };
  },
};

async function perSecond(operation, milliseconds) {
  const begun = performance.now();
  let count = 0;
  while (performance.now() - begun < milliseconds) {
    await Promise.all(Array.from({ length: FLIGHT }, operation));
    count += FLIGHT;
  }
  return (count * 1_000) / (performance.now() - begun);
}

export async function measure(name, size) {
  const text = textOf(size);
  const operations = await contenders[name](text);
  if (JSON.stringify(await operations.open()) !== text) throw new Error(`${name} does not open what it sealed`);
  const figures = {};
  for (const [metric, operation] of [["sealed", operations.seal], ["opened", operations.open]]) {
    await perSecond(operation, WARM);
    figures[metric] = await perSecond(operation, MEASURED);
  }
  return figures;
}
