import type { Policy, Principal, SavedPrincipal, Withdrawal } from "../core/policy.ts";

type Listener = (subject?: string) => void;

/** A policy whose decisions can be taken back; then all routers that use it review their sessions, at once. */
export interface RevocablePolicy extends Required<Policy> {
  restore(saved: SavedPrincipal, namespace: string): Principal;
}

/** Who wants to know that something was taken back: the router whose sessions it concerns, and the other routers of its store. */
export class Revocations {
  readonly #listeners = new Set<Listener>();
  readonly #others = new Set<(withdrawal: Withdrawal) => void>();

  readonly watch = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly withdrawn = (listener: (withdrawal: Withdrawal) => void): (() => void) => {
    this.#others.add(listener);
    return () => void this.#others.delete(listener);
  };

  tell(subject?: string): void {
    for (const listener of this.#listeners) listener(subject);
  }

  /** For the same policy elsewhere. */
  pass(withdrawal: Withdrawal): void {
    for (const listener of this.#others) listener(withdrawal);
  }
}
