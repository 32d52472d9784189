import type { Outgoing } from "../core/link.ts";
import type { Tab } from "./tab.ts";
import { readMixed, readUniform, type Head } from "./frame-text.ts";

/** Whose subscription it is, and the tab's own number for it. */
interface Target { readonly tab: Tab; readonly local: number }

/** Gives what comes for the subscriptions of a trunk to their tabs. The text of events is passed on as it is. */
export class Spreader {
  readonly #targets = new Map<number, Target>();

  open(id: number, tab: Tab, local: number): void {
    this.#targets.set(id, { tab, local });
  }

  close(id: number): void {
    const target = this.#targets.get(id);
    this.#targets.delete(id);
    target?.tab.forget(target.local);
  }

  clear(): void {
    this.#targets.clear();
  }

  /** A frame about one subscription. */
  pass({ name, id, rest }: Head): void {
    const target = this.#targets.get(id);
    target?.tab.tell(`["${name}",${target.local}${rest}`);
  }

  /** Events that are for the same subscriptions. Tabs that know them under the same numbers get the same text. */
  uniform(frame: string): void {
    const { subs, lines } = readUniform(frame);
    const stored = !lines.startsWith("[0,");
    const made = new Map<string, Outgoing>();
    for (const [tab, ids] of this.#byBranch(subs)) {
      const key = ids.join();
      let outgoing = made.get(key);
      if (outgoing === undefined) made.set(key, (outgoing = { text: `["ev",[${key}],[${lines}]]` }));
      tab.deliver(outgoing, stored);
    }
  }

  /** Events, each for subscriptions of its own. */
  mixed(frame: string): void {
    const { subs, lines } = readMixed(frame);
    const stored = lines[0]?.startsWith("[0,") !== true;
    const parts = new Map<Tab, { readonly subs: (readonly number[])[]; readonly lines: string[] }>();
    lines.forEach((line, i) => {
      for (const [tab, ids] of this.#byBranch(subs[i]!)) {
        const part = parts.get(tab);
        if (part === undefined) parts.set(tab, { subs: [ids], lines: [line] });
        else {
          part.subs.push(ids);
          part.lines.push(line);
        }
      }
    });
    for (const [tab, part] of parts) tab.deliver({ text: `["mix",${JSON.stringify(part.subs)},[${part.lines.join()}]]` }, stored);
  }

  #byBranch(subs: readonly number[]): ReadonlyMap<Tab, number[]> {
    const ids = new Map<Tab, number[]>();
    for (const id of subs) {
      const target = this.#targets.get(id);
      if (target === undefined) continue;
      const own = ids.get(target.tab);
      if (own === undefined) ids.set(target.tab, [target.local]);
      else own.push(target.local);
    }
    return ids;
  }
}
