import type { Assertion, Node } from "./parse.ts";

type Atom = Node & { kind: "character" };

/**
 * A nondeterministic automaton (Thompson, "Regular Expression Search Algorithm", CACM 11/6, 1968). Instruction 0 is `match`;
 * "split" goes on at both of its ends, and either may be the same as the other.
 */
export type Instruction =
  | { readonly kind: "match" }
  | { readonly kind: "character"; readonly atom: number; readonly next: number }
  | { readonly kind: "assertion"; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: "split"; readonly next: number; readonly other: number };

/** `atoms`: what the character instructions refer to. A repetition spelled out fifty times still looks its character up once. */
export interface Program { readonly instructions: readonly Instruction[]; readonly atoms: readonly Atom[]; readonly start: number }

/** Builds the program from its end: every part is given the instruction that follows it. `tooLarge` makes the error beyond `limit` instructions. */
export function assemble(root: Node, limit: number, tooLarge: () => Error): Program {
  const instructions: Instruction[] = [{ kind: "match" }];
  const atoms = new Map<Atom, number>();
  const index = (atom: Atom): number => atoms.get(atom) ?? (atoms.set(atom, atoms.size), atoms.size - 1);
  const push = (instruction: Instruction): number => {
    if (instructions.length >= limit) throw tooLarge();
    return instructions.push(instruction) - 1;
  };

  function emit(node: Node, next: number): number {
    switch (node.kind) {
      case "character": return push({ kind: "character", atom: index(node), next });
      case "assertion": return push({ kind: "assertion", assertion: node.assertion, next });
      case "sequence": return node.parts.reduceRight((following, part) => emit(part, following), next);
      case "choice": return node.options.map((option) => emit(option, next)).reduceRight((other, option) => push({ kind: "split", next: option, other }));
      case "repeat": return repeat(node.part, node.min, node.max, next);
    }
  }

  function repeat(part: Node, min: number, max: number, next: number): number {
    let entry = next;
    if (max === Infinity) {
      const loop = push({ kind: "split", next, other: next });
      instructions[loop] = { kind: "split", next: emit(part, loop), other: next };
      entry = loop;
    } else {
      for (let i = min; i < max; i++) entry = push({ kind: "split", next: emit(part, entry), other: next });
    }
    for (let i = 0; i < min; i++) {
      const before = entry;
      entry = emit(part, before);
      // An empty part, as (?:){999999999}, adds nothing however often.
      if (entry === before) break;
    }
    return entry;
  }

  const start = emit(root, 0);
  return { instructions, atoms: [...atoms.keys()], start };
}
