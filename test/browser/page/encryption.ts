import { chooseEngine } from "../../../src/client/encryption/choose-engine.ts";
import { EventRouterClient, type EncryptionKey, type RouterEvent } from "../../../src/index.ts";

/** What this page has to encrypt with. */
export async function surroundings(): Promise<{ secure: boolean; subtle: boolean; engine: string }> {
  return { secure: isSecureContext, subtle: (crypto as { subtle?: unknown }).subtle !== undefined, engine: (await chooseEngine()).name };
}

/** A key that no script of the page can read, as one that is kept in IndexedDB. */
async function keyOf(base64: string, exportable: boolean): Promise<EncryptionKey> {
  if (exportable) return base64;
  return crypto.subtle.importKey("raw", Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)), "AES-KW", false, ["wrapKey", "unwrapKey"]);
}

/** Publishes events of many sizes in all ways, asks, answers, and tells what it got until an event says that it is the last. */
export async function talk(url: string, key: string, exportable: boolean, name: string, count: number): Promise<{ got: unknown[]; answer: unknown; errors: string[] }> {
  await using client = new EventRouterClient({ url, encryption: { key: await keyOf(key, exportable), required: ["**"] } });
  const errors: string[] = [];
  client.onError((error) => void errors.push(String(error)));
  const got: unknown[] = [];
  let last = (): void => {};
  const ended = new Promise<void>((resolve) => { last = resolve; });
  await client.subscribe(["from.node", `from.${name}`], { from: "start", filter: { "payload.n": { $gte: 0 } } }, ({ payload }: RouterEvent) => {
    got.push(payload);
    if ((payload as { last?: true }).last) last();
  });
  const all: Promise<unknown>[] = [];
  for (let n = -3; n < count; n++) {
    const payload = { n, text: "ä".repeat(n % 7 === 0 ? 4_000 : Math.abs(n)) };
    if (n % 3 === 0) client.publishNowait(`from.${name}`, payload);
    else all.push(n % 3 === 1 ? client.publish(`from.${name}`, payload) : client.publishBatch([[`from.${name}`, payload]]));
  }
  await Promise.all(all);
  const { payload: answer } = await client.request("add", { name, numbers: [1, 2] });
  await client.publish(`from.${name}`, { n: count, last: true });
  await ended;
  return { got, answer, errors };
}
