import type { Policy, Principal, SavedPrincipal } from "../core/policy.ts";

type Listener = (subject?: string) => void;

/** A policy whose decisions can be taken back; then all routers that use it review their sessions, at once. */
export interface RevocablePolicy extends Required<Policy> {
  restore(saved: SavedPrincipal, namespace: string): Principal;
}

/** Who wants to know that something was taken back. */
export class Revocations {
  readonly #listeners = new Set<Listener>();

  readonly watch = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  tell(subject?: string): void {
    for (const listener of this.#listeners) listener(subject);
  }
}
