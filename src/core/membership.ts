import type { Group } from "./group.ts";
import type { Member } from "./roster.ts";

/** A `sub` as the client sent it. */
export type Spec = Readonly<Record<string, unknown>>;

/** A subscription that is a member of a group. */
export interface Membership { readonly group: Group; readonly member: Member; readonly topics: readonly string[]; readonly spec: Spec }
