import type { Batch } from "../../src/core/store.ts";

/**
 * A release of the library, as the others meet it. An older one leaves out what the protocol lets it leave out; a newer one says more than is known here: other members in what
 * it says, frames, errors, abilities, records of its own in the log, words between routers.
 */
export type Release = "older" | "this" | "newer";
export const RELEASES: readonly Release[] = ["older", "this", "newer"];

const ADDED = { sinceNewer: { a: [1, "]],["] } };
const HINT = `["hint",1,${JSON.stringify(ADDED)}]`;

/** What one connection is turned into that has other releases at its ends. */
export class Speech {
  readonly #client: Release;
  readonly #router: Release;
  /** Units that the client has been sent when the router had sent so many: what a newer router says more counts for itself alone. */
  readonly #sent = new Map<number, number>();
  #toClient = 0;
  #byRouter = 0;
  #messages = 0;

  constructor(client: Release, router: Release) {
    this.#client = client;
    this.#router = router;
  }

  get mixed(): boolean { return this.#client !== "this" || this.#router !== "this"; }

  /** What a client of that release says, and as the router here counts it. */
  up(text: string): string {
    if (!this.mixed || text === "ping" || text === "pong") return text;
    const lines = text.split("\n");
    for (let i = 0; i < lines.length; i++) {
      const frame = JSON.parse(lines[i]!) as [string, ...unknown[]];
      const own = i;
      if (frame[0] === "pub") i += frame[2] as number;
      else if (frame[0] === "req" || frame[0] === "answer") i++;
      lines[own] = JSON.stringify(this.#said(frame));
    }
    return lines.join("\n");
  }

  /** What a router of that release says to it. */
  down(text: string): string {
    if (!this.mixed || text === "ping" || text === "pong") return text;
    this.#byRouter += text.length;
    const lines = text.split("\n").flatMap((line) => this.#told(line));
    // Not to who has not been welcomed: nothing comes before that.
    if (this.#router === "newer" && ++this.#messages % 3 === 0) lines.unshift(HINT);
    const said = lines.join("\n");
    this.#toClient += said.length;
    this.#sent.set(this.#toClient, this.#byRouter);
    return said;
  }

  #said(frame: [string, ...unknown[]]): readonly unknown[] {
    const [name, ...args] = frame;
    if (name === "ack") return [name, this.#sent.get(args[0] as number) ?? args[0], ...args.slice(1)];
    if (name === "hello") {
      const { instance, caps: _caps, ...hello } = args[0] as Record<string, unknown>;
      return [name, this.#client === "older" ? hello : { ...hello, ...(instance !== undefined && { instance }), ...(this.#client === "newer" && { caps: ["later", "hints"], ...ADDED }) }];
    }
    if (this.#client === "older" && name === "pub" && args[2] !== undefined) {
      // Its ids count for themselves.
      const { run: _run, ...mode } = args[2] as Record<string, unknown>;
      return [name, args[0], args[1], mode];
    }
    if (this.#client === "newer" && (name === "sub" || name === "pub" || name === "nack")) {
      const at = args.length - 1;
      return typeof args[at] === "object" ? [name, ...args.slice(0, at), { ...args[at], ...ADDED }] : frame;
    }
    return frame;
  }

  #told(line: string): readonly string[] {
    if (this.#router === "this") return [line];
    if (this.#router === "older" && line.startsWith('["rights"')) return [];
    const welcome = line.startsWith('["welcome"');
    if (!welcome && !/^\["(err|end|bye|gap)"/.test(line)) return [line];
    const frame = JSON.parse(line) as [string, ...unknown[]];
    const last = frame.at(-1);
    if (welcome) {
      const { caps, permissions, expiresIn, ...rest } = last as Record<string, unknown>;
      return [JSON.stringify(["welcome", this.#router === "older" ? { ...rest, caps } : { ...rest, caps: ["hints"], ...(permissions !== undefined && { permissions }), ...(expiresIn !== undefined && { expiresIn }), ...ADDED }])];
    }
    if (this.#router === "older") return [line];
    if (frame[0] === "gap") return [JSON.stringify(["gap", frame[1], { ...(last as object), ...ADDED }])];
    // An error of a class that is not known here.
    return Array.isArray(last) ? [JSON.stringify([...frame.slice(0, -1), ["NewerError", ...last.slice(1)]])] : [line];
  }
}

/** What a newer router writes: its dead letters say more, and it has records of which nothing is known here. What a publisher's id stands for must be the same text in all releases. */
export function writtenBy(release: Release, batches: readonly Batch[]): { readonly batches: readonly Batch[]; readonly added: number } {
  if (release !== "newer") return { batches, added: 0 };
  const extended = batches.map((batch) => ({ ...batch, drafts: batch.drafts.map((draft) => (/^\$(dead|delayed\.closed)/.test(draft.type) && draft.body.endsWith("}]") ? { ...draft, body: `${draft.body.slice(0, -2)},"sinceNewer":1}]` } : draft)) }));
  const record = batches.flatMap(({ drafts }) => drafts).find(({ type }) => type.startsWith("$"));
  if (record === undefined) return { batches: extended, added: 0 };
  const { lead } = batches.find(({ drafts }) => drafts.includes(record))!;
  const stamp = `,${record.time},["$router",0]`;
  const note = { id: `note:${record.id}`.slice(0, 128), type: "$newer.note", time: record.time, body: `${stamp},"${`note:${record.id}`.slice(0, 128)}","$newer.note",{"of":1}]`, own: stamp.length + 1 };
  return { batches: [...extended, { publisher: "$router", run: false, ...(lead !== undefined && { lead }), drafts: [note] }], added: 1 };
}
