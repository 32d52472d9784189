import { isReserved } from "../core/pattern.ts";

/** Whether some type is matched by both patterns. What is denied must not overlap what is asked for. */
export function overlapsPattern(a: string, b: string): boolean {
  if (isReserved(a) !== isReserved(b)) return false;
  const left = a.split("."), right = b.split(".");
  const known = new Map<number, boolean>();
  /** Whether what is left of both, from these segments on, has a type in common. */
  const meet = (i: number, j: number): boolean => {
    const key = i * 32 + j;
    const before = known.get(key);
    if (before !== undefined) return before;
    const one = left[i], other = right[j];
    const found = one === undefined && other === undefined ? true
      : one === "**" ? meet(i + 1, j) || (other !== undefined && meet(i, j + 1))
      : other === "**" ? meet(i, j + 1) || (one !== undefined && meet(i + 1, j))
      : one !== undefined && other !== undefined && (one === other || one === "*" || other === "*") && meet(i + 1, j + 1);
    known.set(key, found);
    return found;
  };
  return meet(0, 0);
}
