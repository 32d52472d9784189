import { compileFilter, type Filter, type Predicate } from "../../core/filter.ts";
import type { SubscribeSpec } from "../../core/frames.ts";
import { compileRegex } from "../../core/regex.ts";
import { regExpAsFilter } from "../subscribe-options.ts";

type Query = Readonly<Record<string, unknown>>;

const isEmpty = (query: Query): boolean => Object.keys(query).length === 0;
const asksPayload = (path: string): boolean => path === "payload" || path.startsWith("payload.");

/** Whether a part of the filter asks about payloads. */
export function mentionsPayload(filter: Filter): boolean {
  return Object.entries(filter as Query).some(([key, value]) => asksPayload(key) || (key.startsWith("$") && (value as readonly Filter[]).some(mentionsPayload)));
}

/**
 * What is left of a sound filter when nothing may be asked about payloads: it lets through all that the whole would, and more. So a router can ask
 * it of encrypted events, and the client the whole of what is left.
 */
export function withoutPayload(filter: Filter): Filter {
  return Object.fromEntries(Object.entries(filter as Query).flatMap(([key, value]): [string, unknown][] => {
    if (!key.startsWith("$")) return asksPayload(key) ? [] : [[key, value]];
    const clauses = value as readonly Filter[];
    const kept = key === "$nor"
      // "None of them" without those that nobody can answer here.
      ? clauses.filter((clause) => !mentionsPayload(clause))
      : clauses.map(withoutPayload).filter((clause) => !isEmpty(clause as Query));
    // One clause that is always met meets all of $or.
    const void_ = kept.length === 0 || (key === "$or" && kept.length < clauses.length);
    return void_ ? [] : [[key, kept]];
  })) as Filter;
}

/** What to ask the router for, and what is left to ask here. Loaded with the first filter. One that makes no sense is the router's to refuse. */
export function splitSpec(spec: SubscribeSpec): { readonly spec: SubscribeSpec; readonly accepts: Predicate | undefined } {
  if (spec.filter === undefined) return { spec, accepts: undefined };
  const filter = JSON.parse(JSON.stringify(spec.filter, regExpAsFilter)) as Filter;
  try {
    const accepts = compileFilter(filter, { maxNodes: Infinity, regex: compileRegex });
    if (!mentionsPayload(filter)) return { spec, accepts: undefined };
    const { filter: _, ...others } = spec;
    const rest = withoutPayload(filter);
    return { spec: Object.keys(rest).length === 0 ? others : { ...others, filter: rest }, accepts };
  } catch {
    return { spec, accepts: undefined };
  }
}
