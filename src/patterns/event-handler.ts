import type { SubscribeOptions } from "../client/subscribe-options.ts";

/** One handler of an agent: the events it is for, the method's name, and how to subscribe. */
export interface Handling {
  readonly topics: readonly string[];
  readonly method: PropertyKey;
  readonly options: SubscribeOptions;
}

/** Handlers of an agent's class: patterns (several are parted by spaces), and the method that gets their events, or that and subscription options. */
export type HandlerMap = Readonly<Record<string, string | ({ readonly method: string } & SubscribeOptions)>>;

/** Where instances keep what their decorators say. */
export const handlings = Symbol("handlings");

/** What a decorated method's `this` must have; agents do. */
export interface Handled { readonly [handlings]: Handling[] }

type Method = (this: never, ...args: never[]) => unknown;
/** The part of ClassMethodDecoratorContext that is used, so that it also works where the compiler has no such type. */
interface MethodContext { readonly kind: string; readonly name: PropertyKey; addInitializer(initializer: (this: unknown) => void): void }

/**
 * A standard decorator (ECMAScript) of an agent's method: it gets the events of these patterns. Where decorators are not compiled, `static handlers` says the same.
 * @example
 * class MyAgent extends EventEnabledAgent {
 *   @eventHandler("task.assigned", { group: "reviewers" }) async handleTask(event) { await this.reply(event, "task.completed"); }
 * }
 */
export function eventHandler(topics: string | readonly string[], options: SubscribeOptions = {}): (method: Method, context: MethodContext) => void {
  return (_, { kind, name, addInitializer }) => {
    if (kind !== "method") throw new TypeError(`@eventHandler is for methods; ${String(name)} is a ${kind}`);
    addInitializer(function (this: unknown) {
      const agent = this as Partial<Handled>;
      if (agent[handlings] === undefined) throw new TypeError(`@eventHandler is for methods of agents; let the class of ${String(name)} extend EventEnabledAgent`);
      agent[handlings].push({ topics: split(topics), method: name, options });
    });
  };
}

/** What the `static handlers` of a class and of those it extends say; a class's own word counts more. */
export function handlersOf(constructor: unknown): Handling[] {
  const maps: HandlerMap[] = [];
  for (let one = constructor as object | null; one !== null; one = Object.getPrototypeOf(one) as object | null) if (Object.hasOwn(one, "handlers")) maps.unshift((one as { readonly handlers: HandlerMap }).handlers);
  return Object.entries(Object.assign({}, ...maps) as HandlerMap).map(([topics, value]) => {
    const { method, ...options } = typeof value === "string" ? { method: value } : value;
    return { topics: split(topics), method, options };
  });
}

function split(topics: string | readonly string[]): readonly string[] {
  return typeof topics === "string" ? topics.split(/\s+/) : topics;
}
