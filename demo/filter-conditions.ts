import type { EventFilter } from "../src/index.ts";

/** What the builder offers, with its words. */
export const operators = [
  ["$eq", "is"], ["$ne", "is not"], ["$gt", "more than"], ["$gte", "at least"], ["$lt", "less than"], ["$lte", "at most"],
  ["$in", "one of"], ["$nin", "none of"], ["$regex", "matches"], ["$exists", "is there"],
] as const;
export type Operator = (typeof operators)[number][0];

/** One line of the builder. `value` as a person writes it: `50`, `canoe`, `"50"` for the text; several with commas between them. */
export interface Condition { readonly field: string; readonly operator: Operator; readonly value: string }
/** Whether all conditions must hold, or any. */
export type Joined = "all" | "any";

/** The filter that these lines mean; undefined for none. */
export function filterOf(conditions: readonly Condition[], joined: Joined): EventFilter | undefined {
  const each = conditions.map(({ field, operator, value }): [string, Operator, unknown] => [field, operator, valueOf(operator, value)]);
  if (each.length === 0) return undefined;
  const alone = each.map(([field, operator, value]) => ({ [field]: operator === "$eq" && !isObject(value) ? value : { [operator]: value } }));
  if (joined === "any" && each.length > 1) return { $or: alone } as EventFilter;
  const byField = new Map<string, Record<string, unknown>>();
  for (const [field, operator, value] of each) {
    const said = byField.get(field) ?? {};
    // The same twice, as two texts that must both match.
    if (operator in said) return { $and: alone } as EventFilter;
    byField.set(field, { ...said, [operator]: value });
  }
  return Object.fromEntries([...byField].map(([field, said]) => {
    const { $eq, ...others } = said;
    return [field, Object.keys(others).length === 0 && !isObject($eq) ? $eq : said];
  })) as EventFilter;
}

/** The lines that mean this filter; undefined if it says more than lines can. */
export function conditionsOf(filter: EventFilter | undefined): { readonly conditions: readonly Condition[]; readonly joined: Joined } | undefined {
  const all = Object.entries(filter ?? {});
  const [first] = all;
  const parts = all.length === 1 && (first![0] === "$or" || first![0] === "$and") && Array.isArray(first![1]) ? (first![1] as unknown[]) : undefined;
  const conditions: Condition[] = [];
  for (const part of parts ?? [filter ?? {}]) {
    const before = conditions.length;
    for (const [field, condition] of isObject(part) ? Object.entries(part) : []) {
      const said: Record<string, unknown> = isObject(condition) ? condition : { $eq: condition };
      if (field.startsWith("$") || Object.keys(said).length === 0) return undefined;
      for (const [operator, value] of Object.entries(said)) {
        const known = operators.find(([name]) => name === operator)?.[0];
        const text = known === undefined ? undefined : written(known, value);
        if (known === undefined || text === undefined) return undefined;
        conditions.push({ field, operator: known, value: text });
      }
    }
    // An alternative of several conditions is no line.
    if (parts !== undefined && conditions.length !== before + 1) return undefined;
  }
  return { conditions, joined: first?.[0] === "$or" && parts !== undefined ? "any" : "all" };
}

function valueOf(operator: Operator, text: string): unknown {
  switch (operator) {
    case "$exists": return !/^(no|false|0)$/i.test(text.trim());
    case "$regex": return text;
    case "$in": case "$nin": return text.split(",").map((one) => one.trim()).filter((one) => one !== "").map(scalar);
    default: return scalar(text.trim());
  }
}

function scalar(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** As it is written into its field; undefined if it would be read as something else. */
function written(operator: Operator, value: unknown): string | undefined {
  const one = (scalarValue: unknown): string => (typeof scalarValue === "string" && scalar(scalarValue) === scalarValue ? scalarValue : JSON.stringify(scalarValue) ?? "");
  const text = operator === "$exists" ? (value === true ? "yes" : "no")
    : operator === "$regex" ? (typeof value === "string" ? value : "")
    : Array.isArray(value) && (operator === "$in" || operator === "$nin") ? value.map(one).join(", ") : one(value);
  return JSON.stringify(valueOf(operator, text)) === JSON.stringify(value) ? text : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
