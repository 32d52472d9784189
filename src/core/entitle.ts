import { PermissionError, toWire } from "./errors.ts";
import type { Gap } from "./frames.ts";
import type { Membership } from "./membership.ts";
import type { Namespace } from "./namespace.ts";
import { mayReach, type Action, type Rights } from "./policy.ts";
import type { Reader } from "./reader.ts";
import type { Responder } from "./requests.ts";

/** @throws PermissionError for the first pattern that reaches beyond the rights: a subscription is refused whole. */
export function checkReach(rights: Rights, action: Action, patterns: readonly string[]): void {
  for (const pattern of patterns) if (!mayReach(rights, action, pattern)) throw beyond(action, pattern);
}

function beyond(action: Action, pattern: string): PermissionError {
  const verb = action === "subscribe" ? "subscribe to" : "respond to";
  const permission = pattern.startsWith("$") ? "manage" : `${action}:${pattern}`;
  return new PermissionError("ERR_PERMISSION", `not allowed to ${verb} "${pattern}"; the credential needs ${permission}`, { details: { permission } });
}

/**
 * A reader has other rights from now on: what they no longer reach is ended, with a `gap` that says from where on nothing comes (P2).
 * What stays is asked for each event anyway.
 */
export function entitle(rights: Rights, { namespace, reader, memberships, responders, tell }: {
  readonly namespace: Namespace;
  readonly reader: Reader;
  readonly memberships: Map<number, Membership> | undefined;
  readonly responders: Map<number, Responder> | undefined;
  tell(frame: readonly unknown[]): void;
}): void {
  reader.rights = rights;
  namespace.dispatcher.regroup(reader);
  for (const [id, cursor] of reader.cursors) {
    const lost = cursor.interest.topics.find((pattern) => !mayReach(rights, "subscribe", pattern));
    if (lost === undefined) continue;
    const gap: Gap = { from: namespace.placeOf(cursor) + 1, to: null, epoch: namespace.log.epoch, reason: "revoked" };
    namespace.unsubscribe(cursor);
    reader.cursors.delete(id);
    tell(["gap", id, gap]);
    tell(["end", id, toWire(beyond("subscribe", lost))]);
  }
  for (const [id, { group, member, topics }] of memberships ?? []) {
    const lost = topics.find((pattern) => !mayReach(rights, "subscribe", pattern));
    if (lost === undefined) continue;
    memberships!.delete(id);
    group.leave(member);
    tell(["end", id, toWire(beyond("subscribe", lost))]);
  }
  for (const [id, responder] of responders ?? []) {
    const lost = responder.patterns.find((pattern) => !mayReach(rights, "respond", pattern));
    if (lost === undefined) continue;
    responders!.delete(id);
    namespace.requests.retire(responder);
    tell(["end", id, toWire(beyond("respond", lost))]);
  }
}
