import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serve } from "../../../src/hosts/server.ts";
import { EventRouterClient, type EncryptionOptions } from "../../../src/index.ts";
import { KEY, OTHER_KEY } from "./kit.ts";

const MEMBERS = 20;
const WAVE = 4;
const OLD: EncryptionOptions = { keys: { "2026-10": KEY }, required: ["**"] };
/** One after another, by all: a key is known to all before anyone encrypts with it, and is forgotten when nobody does any more. */
const STEPS: readonly EncryptionOptions[] = [
  { ...OLD, keys: { "2026-10": KEY, "2026-11": OTHER_KEY }, activeKey: "2026-10" },
  { ...OLD, keys: { "2026-10": KEY, "2026-11": OTHER_KEY }, activeKey: "2026-11" },
  { ...OLD, keys: { "2026-11": OTHER_KEY } },
];

/** A process of an application, as it is restarted with other settings: it publishes all the time, and reads on where it was. */
class Member {
  readonly name: string;
  readonly seen: string[] = [];
  readonly published: string[] = [];
  readonly errors: unknown[] = [];
  /** The last seq of its own. */
  stored = 0;
  readonly #url: string;
  #client: EventRouterClient | undefined;
  #last = 0;
  #read: () => void = () => {};
  #publishing: Promise<void> = Promise.resolve();
  #quiet = true;

  constructor(url: string, name: string) {
    this.#url = url;
    this.name = name;
  }

  get last(): number { return this.#last; }

  /** Ends what runs, and begins anew with other settings behind the last event that was handled. */
  async restart(encryption: EncryptionOptions): Promise<void> {
    await this.quieten();
    await this.close();
    const client = new EventRouterClient({ url: this.#url, encryption });
    client.onError((error) => void this.errors.push(error));
    const subscription = await client.subscribe("work.*", { from: this.#last + 1 }, ({ seq, payload }) => {
      this.#last = seq;
      this.seen.push((payload as { said: string }).said);
      this.#read();
    });
    subscription.onGap((gap) => void this.errors.push(gap));
    this.#client = client;
    this.#quiet = false;
    this.#publishing = this.#publish(client);
  }

  /** Publishes no more, and reads on. */
  async quieten(): Promise<void> {
    this.#quiet = true;
    await this.#publishing;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  async #publish(client: EventRouterClient): Promise<void> {
    while (!this.#quiet) {
      const said = Array.from({ length: 4 }, (_, i) => `${this.name} ${this.published.length + i}`);
      this.published.push(...said);
      const receipts = await Promise.all(said.map((text) => client.publish(`work.${this.name}`, { said: text })));
      this.stored = receipts.at(-1)!.seq!;
      // No faster than it reads: else all that this test would show is how much one process can do.
      while (this.#last < this.stored) await new Promise<void>((resolve) => (this.#read = resolve));
    }
  }
}

test("keys rotate while 20 clients publish and read: nothing is lost, nothing comes twice, nothing fails to open", async () => {
  const folder = mkdtempSync(join(tmpdir(), "event-router-rotation-"));
  const server = await serve({ port: 0, store: `sqlite:${join(folder, "log.db")}` });
  const members = Array.from({ length: MEMBERS }, (_, i) => new Member(server.url, `m${i}`));
  try {
    await Promise.all(members.map((member) => member.restart(OLD)));
    for (const step of STEPS) {
      const head = Math.max(...members.map(({ stored }) => stored));
      // Before a key is forgotten, all have read what was encrypted with it.
      await expect.poll(() => Math.min(...members.map(({ last }) => last))).toBeGreaterThanOrEqual(head);
      // A few at a time, while the others go on.
      for (let first = 0; first < MEMBERS; first += WAVE) await Promise.all(members.slice(first, first + WAVE).map((member) => member.restart(step)));
    }
    await Promise.all(members.map((member) => member.quieten()));
    const all = members.flatMap(({ published }) => published);
    await expect.poll(() => members.map(({ seen }) => seen.length)).toEqual(members.map(() => all.length));
    expect(members.flatMap(({ errors }) => errors)).toEqual([]);
    const [first, ...others] = members.map(({ seen }) => seen);
    expect([...first!].sort()).toEqual([...all].sort());
    for (const seen of others) expect(seen).toEqual(first);
  } finally {
    await Promise.all(members.map((member) => member.close()));
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
