import type { Plan } from "./plan.ts";
import { simulate, type Result } from "./simulation.ts";

/** Simulations that may be spent on it. */
const MOST = 200;

/** A plan as small as can be found that fails in the same way: without the operations and faults that it fails without as well. */
export async function shrink(plan: Plan, { violations }: Result, run: (plan: Plan) => Promise<Result> = simulate): Promise<Plan> {
  const ruleOf = (what: string): string => what.split(" ")[0]!;
  const wanted = ruleOf(violations[0]!);
  let left = MOST;
  const fails = async (one: Plan): Promise<boolean> => left-- > 0 && (await run(one)).violations.some((what) => ruleOf(what) === wanted);

  const without = async <Key extends "ops" | "faults">(from: Plan, key: Key): Promise<Plan> => {
    let best = from;
    for (let size = Math.max(1, from[key].length >> 1); ; size >>= 1) {
      for (let at = 0; at < best[key].length; ) {
        const list = [...best[key].slice(0, at), ...best[key].slice(at + size)];
        const next: Plan = { ...best, [key]: list };
        if (await fails(next)) best = next;
        else at += size;
      }
      if (size <= 1) return best;
    }
  };
  return without(await without(plan, "faults"), "ops");
}
