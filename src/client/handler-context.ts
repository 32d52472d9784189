/** A `Subscription`, as its handler sees it. */
export interface OwnSubscription {
  /** Names it in the router's list of subscriptions, within this client's session. */
  readonly id: number;
  readonly topics: readonly string[];
  unsubscribe(): Promise<void>;
}

/** Who this client is to its router, as of now: rights may change while a subscription runs. */
export interface User {
  /** As authenticated; absent if anonymous. */
  readonly subject?: string | undefined;
  /** Such as `publish:order.*`, `manage`, `read:report.**`. */
  readonly permissions: readonly string[];
  /** Whether one of the permissions is this, `admin`, or a pattern that covers it, and none denies it. */
  hasPermission(permission: string): boolean;
}

/** What a handler may know besides its event. A middleware passes it on. */
export interface HandlerContext {
  /** Absent where a request is answered. */
  readonly subscription: OwnSubscription | undefined;
  /** Counts the tries of this event, from 1. */
  readonly attempt: number;
  /** Another try, or another member of the group, may have begun with it before. */
  readonly redelivered: boolean;
  readonly user: User;
  /** Aborts when the subscription ends, or when nobody waits for the answer to a request any more: whatever waits inside a handler should end too. */
  readonly signal: AbortSignal;
  /** Somebody outside runs the handler again when it fails, so a middleware inside need not wait. */
  readonly retried?: boolean;
}

/** Of the first try: one object serves all events of a subscription. */
export function contextOf(user: User, signal: AbortSignal, subscription?: OwnSubscription): HandlerContext {
  return { subscription, attempt: 1, redelivered: false, user, signal };
}

/** @param identity what the router said last; asked each time, so that one object serves the client's whole life */
export function userOf(identity: () => { readonly subject?: string; readonly permissions?: readonly string[] } | undefined): User {
  return {
    get subject() { return identity()?.subject; },
    get permissions() { return identity()?.permissions ?? []; },
    hasPermission(permission) {
      const among = (asked: string): boolean => this.permissions.some((one) => covers(one.split(/[.:]/), asked.split(/[.:]/)));
      return (this.permissions.includes("admin") || among(permission)) && !among(`deny:${permission}`);
    },
  };
}

/** `*` is one segment, `**` any number, none included. */
function covers([own, ...others]: readonly string[], asked: readonly string[]): boolean {
  const [first, ...rest] = asked;
  if (own === "**") return covers(others, asked) || (first !== undefined && covers([own, ...others], rest));
  return own === first ? own === undefined || covers(others, rest) : own === "*" && first !== undefined && covers(others, rest);
}
