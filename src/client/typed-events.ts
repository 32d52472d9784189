import type { RouterEvent } from "../core/event.ts";

/** The part of a Standard Schema (zod, valibot, arktype …) that is used: https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }[] };

/** Payloads by event type. */
export type EventMap = Readonly<Record<string, unknown>>;

/** Nothing is known of the events: a payload is what JSON.parse gives. */
// oxlint-disable-next-line typescript/no-explicit-any -- as JSON.parse
export type AnyEvents = Readonly<Record<string, any>>;

/** A schema for each event type: of what is delivered, and of what may be published, which differs where a schema transforms. */
export type EventSchemas<Events extends EventMap, Inputs extends EventMap = Events> = { readonly [Type in keyof Events]: StandardSchema<unknown, Events[Type]> } & { readonly [Type in keyof Inputs]: StandardSchema<Inputs[Type], unknown> };

/** The payload of an event type. */
export type PayloadOf<Events extends EventMap, Type extends string> = Type extends keyof Events ? Events[Type] : unknown;

/** What follows the type when an event is said: the payload may be left out where its schema lets it. */
export type Said<Events extends EventMap, Type extends string, Options> = undefined extends PayloadOf<Events, Type> ? [payload?: PayloadOf<Events, Type>, options?: Options] : [payload: PayloadOf<Events, Type>, options?: Options];

type PayloadField<Payload> = undefined extends Payload ? { readonly payload?: Payload } : { readonly payload: Payload };

/** An event in one object, with what else may be said of it: type and payload belong together. */
export type InitOf<Events extends EventMap, Init extends { readonly type: string }> =
  string extends keyof Events ? Init : { [Type in keyof Events & string]: Omit<Init, "type" | "payload"> & { readonly type: Type } & PayloadField<Events[Type]> }[keyof Events & string];

/** An event as `[type, payload, meta?]`. */
export type TupleOf<Events extends EventMap, Meta> =
  string extends keyof Events ? readonly [type: string, payload?: unknown, meta?: Meta] : { [Type in keyof Events & string]: readonly [type: Type, ...said: Said<Events, Type, Meta>] }[keyof Events & string];

type Segments<Text extends string> = Text extends `${infer Head}.${infer Rest}` ? [Head, ...Segments<Rest>] : [Text];

/** Whether a pattern's segments match a type's, as the router has it: `*` is one segment, `**` any number. */
type Matches<Pattern extends readonly string[], Type extends readonly string[]> =
  Pattern extends readonly ["**", ...infer Others extends string[]]
    ? Matches<Others, Type> extends true ? true : Type extends readonly [string, ...infer Rest extends string[]] ? Matches<Pattern, Rest> : false
    : Pattern extends readonly [infer Head, ...infer Others extends string[]]
      ? Type extends readonly [infer First, ...infer Rest extends string[]] ? (Head extends "*" | First ? Matches<Others, Rest> : false) : false
      : Type extends readonly [] ? true : false;

/** The event types of a map that one of the patterns matches. */
export type TypesOf<Events extends EventMap, Pattern extends string> =
  Pattern extends string ? { [Type in keyof Events & string]: Matches<Segments<Pattern>, Segments<Type>> extends true ? Type : never }[keyof Events & string] : never;

/** The events that patterns can bring: a union by type, which `event.type === "…"` narrows. Of patterns that are not known when compiled, and of unnamed types: any. */
export type EventOf<Events extends EventMap, Pattern extends string> =
  string extends keyof Events ? RouterEvent<Events[string]>
    : string extends Pattern ? { [Type in keyof Events & string]: RouterEvent<Events[Type], Type> }[keyof Events & string]
      : [TypesOf<Events, Pattern>] extends [never] ? RouterEvent
        : { [Type in TypesOf<Events, Pattern>]: RouterEvent<Events[Type], Type> }[TypesOf<Events, Pattern>];

/** The payloads that a set of schemas describes. */
export type EventsOf<Schemas> = { readonly [Type in keyof Schemas & string]: Schemas[Type] extends StandardSchema<infer _, infer Output> ? Output : unknown };

/**
 * Names the events of an application, each with a Standard Schema of its payload: for `new EventRouterClient({ schema })`.
 * @example
 * const schema = defineEvents({ "user.created": z.object({ id: z.number(), name: z.string() }) });
 */
export function defineEvents<Schemas extends Readonly<Record<string, StandardSchema>>>(schemas: Schemas): Schemas {
  return Object.freeze({ ...schemas });
}
