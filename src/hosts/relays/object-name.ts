/** Which object of a namespace: its owner, who has the log, or one of its relays. */
export interface ObjectRole {
  readonly namespace: string;
  /** From 1; undefined: the owner. */
  readonly relay: number | undefined;
}

/** No namespace has it in its name. */
const MARK = "#";

/** A relay's object is named after its namespace. */
export function relayName(namespace: string, relay: number): string { return `${namespace}${MARK}${relay}`; }

export function roleOf(name: string): ObjectRole {
  const at = name.indexOf(MARK);
  return at === -1 ? { namespace: name, relay: undefined } : { namespace: name.slice(0, at), relay: Number(name.slice(at + 1)) };
}
