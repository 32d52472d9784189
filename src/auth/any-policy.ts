import { AuthenticationError } from "../core/errors.ts";
import type { Policy, Principal, SavedPrincipal } from "../core/policy.ts";
import type { RevocablePolicy } from "./revocable.ts";

/** How a router's clients may say who they are; at least one. */
export interface Policies {
  readonly apiKeys?: RevocablePolicy | undefined;
  readonly jwt?: RevocablePolicy | undefined;
  readonly certificates?: RevocablePolicy | undefined;
}

type Kind = keyof Policies;

const kinds: Readonly<Record<Kind, string>> = { apiKeys: "an API key", jwt: "a token (JWT)", certificates: "a client certificate" };

/** Each credential is for the policy of its kind: one that is refused there is not tried elsewhere. */
export function anyPolicy(policies: Policies): RevocablePolicy {
  const there = (Object.keys(kinds) as Kind[]).filter((kind) => policies[kind] !== undefined);
  const accepted = there.map((kind) => kinds[kind]).join(", ");
  const of = (kind: Kind, principal: Principal): Principal => ({ ...principal, origin: [kind, principal.origin] });
  /** By the policy that let it in. */
  const again = <P extends SavedPrincipal>(principal: P, ask: (policy: RevocablePolicy, inner: P) => Principal): Principal => {
    const [kind, origin] = principal.origin as [Kind, unknown];
    const policy = policies[kind];
    if (policy === undefined) throw new AuthenticationError("ERR_REVOKED", `this router takes ${accepted}, and no more ${kinds[kind]}`);
    return of(kind, ask(policy, { ...principal, origin }));
  };
  return {
    async authenticate(credential, namespace, caller) {
      const kind: Kind | undefined = credential?.type === "api_key" ? "apiKeys" : credential?.type === "jwt" ? "jwt" : credential === undefined && caller.certificate !== undefined ? "certificates" : undefined;
      const policy: Policy | undefined = kind && policies[kind];
      if (policy === undefined) throw new AuthenticationError("ERR_UNAUTHENTICATED", `say who you are: this router takes ${accepted}. Over HTTP send X-API-Key or Authorization: Bearer, in a client give the option auth`);
      return of(kind!, await policy.authenticate(credential, namespace, caller));
    },
    review: (principal, namespace) => again(principal, (policy, inner) => policy.review(inner, namespace)),
    restore: (saved, namespace) => again(saved, (policy, inner) => policy.restore(inner, namespace)),
    watch(listener) {
      const stops = there.map((kind) => policies[kind]!.watch(listener));
      return () => stops.forEach((stop) => stop());
    },
    withdrawn(listener) {
      const stops = there.map((kind) => policies[kind]!.withdrawn(({ what, lasts }) => listener({ what: [kind, what], lasts })));
      return () => stops.forEach((stop) => stop());
    },
    withdraw(what) {
      const [kind, inner] = what as [Kind, unknown];
      policies[kind]?.withdraw(inner);
    },
  };
}
