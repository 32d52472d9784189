import type { BaseOptions } from "../client/options.ts";
import { admitting, everything, type Caller, type Policy, type Principal } from "../core/policy.ts";
import type { Router } from "../core/router.ts";
import { inProcessLink } from "../links/in-process.ts";
import { PatternClient } from "../pattern-client.ts";
import { serverClock, randomBytes } from "./surroundings.ts";

/** Lets in, without a credential and for everything, whoever is this very caller: only who holds the object can be it. */
export function trusting(policy: Policy, own: Caller): Policy {
  const self: Principal = { subject: "server", rights: everything, permissions: ["admin"], everywhere: 1 };
  const others = admitting(policy, (credential, namespace, caller) => (caller === own && credential === undefined ? self : policy.authenticate(credential, namespace, caller)));
  return { ...others, ...(others.review && { review: (principal, namespace) => (principal === self ? self : others.review!(principal, namespace)) }) };
}

/** A client of a router in the same process. */
export function ownClient(router: Router, own: Caller, options?: BaseOptions): PatternClient {
  return new PatternClient({ makeLink: () => inProcessLink(router, own), clock: serverClock, random: Math.random, randomBytes }, options);
}
