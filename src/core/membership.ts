import type { Group, Member } from "./group.ts";

/** A `sub` as the client sent it. */
export type Spec = Readonly<Record<string, unknown>>;

/** A subscription that is a member of a group. */
export interface Membership { readonly group: Group; readonly member: Member; readonly topics: readonly string[]; readonly spec: Spec }
