import { checkOptions } from "../client/check-options.ts";
import type { Client, PublishOptions, RequestOptions } from "../client/client.ts";
import type { Handler } from "../client/handle-events.ts";
import type { Receipt } from "../client/receipt.ts";
import type { Subscription } from "../client/subscription.ts";
import { asyncDispose } from "../core/dispose.ts";
import { ConnectionError, ValidationError } from "../core/errors.ts";
import type { RouterEvent } from "../core/event.ts";
import { handlersOf, handlings, type HandlerMap, type Handling } from "./event-handler.ts";

export interface AgentOptions {
  /** Names it, as the source of its events; unique among those that run. */
  readonly id: string;
  /** What it can do: by these others find it. */
  readonly capabilities?: readonly string[];
  /** Whether it answers `discoverAgents`; default true. */
  readonly discoverable?: boolean;
}

type State =
  | { readonly state: "idle" | "stopped" }
  | { readonly state: "running"; readonly subscriptions: readonly Subscription[] };

/**
 * Something that works on events: its methods get those that `static handlers`, or the decorator `@eventHandler`, say.
 * @example
 * class MyAgent extends EventEnabledAgent {
 *   static handlers = { "task.assigned": "handleTask" };
 *   async handleTask(event) { await this.reply(event, "task.completed", { task_id: event.payload.id }); }
 * }
 * await new MyAgent(client, { id: "worker-1", capabilities: ["review"] }).start();
 */
export class EventEnabledAgent<C extends Client = Client> {
  static readonly handlers: HandlerMap = {};
  readonly client: C;
  readonly id: string;
  readonly capabilities: readonly string[];
  /** @internal */
  readonly [handlings]: Handling[] = [];
  readonly #discoverable: boolean;
  readonly #running = new Set<Promise<unknown>>();
  #state: State = { state: "idle" };
  #starting: Promise<this> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(client: C, options: AgentOptions) {
    checkOptions(options, "id capabilities discoverable", "an agent");
    const { id, capabilities = [], discoverable = true } = options;
    if (typeof id !== "string" || id === "") throw new ValidationError("ERR_OPTION", "id must be a name for the agent, unique among those that run", { details: { path: "id" } });
    this.client = client;
    this.id = id;
    this.capabilities = [...capabilities];
    this.#discoverable = discoverable;
  }

  get state(): "idle" | "running" | "stopped" { return this.#state.state; }

  /** Called when it has subscribed. Says so to all; overriding it changes what is said. */
  async onStart(): Promise<void> {
    await this.publish("agent.started", { agent_id: this.id, capabilities: this.capabilities });
  }

  /** Called when its last handler has finished. */
  async onStop(): Promise<void> {
    await this.publish("agent.stopped", { agent_id: this.id });
  }

  /** Surrounds each handler, with a retry or a breaker of the client, say. */
  surround(handler: Handler, _handling: Handling): Handler {
    return handler;
  }

  /** Resolves when it gets events, and `onStart` is done. @throws why it could not subscribe; then it has not. */
  start(): Promise<this> {
    return (this.#starting ??= this.#start());
  }

  /** No more events come to it; those that it has are finished first, unless the signal aborts. It does not start again: make a new one. */
  stop({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return (this.#stopping ??= this.#stop(signal));
  }

  [asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Publishes with the agent's id as the source. */
  publish(type: string, payload?: unknown, options?: PublishOptions): Promise<Receipt> {
    return this.client.publish(type, payload, { source: this.id, ...options });
  }

  /** Publishes what answers an event: whoever waits for it knows it by the correlation id. */
  reply({ id, correlationId = id }: RouterEvent, type: string, payload?: unknown, options?: PublishOptions): Promise<Receipt> {
    return this.publish(type, payload, { correlationId, ...options });
  }

  /** Asks whoever responds, with the agent's id as the source. */
  request(type: string, payload?: unknown, options?: RequestOptions): Promise<RouterEvent> {
    return this.client.request(type, payload, { source: this.id, ...options });
  }

  async #start(): Promise<this> {
    const all = [...handlersOf(this.constructor), ...this[handlings]];
    const handlers = all.map((handling) => [handling, this.surround(this.#method(handling), handling)] as const);
    const subscriptions = handlers.map(([{ topics, options }, handler]) => this.client.on(topics, options, this.#counted(handler)));
    if (this.#discoverable) subscriptions.push(this.client.on("agent.discover", (event) => this.#present(event)));
    this.#state = { state: "running", subscriptions };
    try {
      await Promise.all(subscriptions.map(({ ready }) => ready));
      await this.onStart();
    } catch (error) {
      this.#state = { state: "stopped" };
      await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()));
      throw error;
    }
    return this;
  }

  async #stop(signal: AbortSignal | undefined): Promise<void> {
    await this.#starting?.catch(() => {});
    const before = this.#state;
    this.#state = { state: "stopped" };
    if (before.state !== "running") return;
    await Promise.all(before.subscriptions.map((subscription) => subscription.unsubscribe()));
    const finished = Promise.allSettled(this.#running);
    if (signal === undefined) await finished;
    else {
      const aborted = Promise.withResolvers<never>();
      const abort = (): void => aborted.reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      await Promise.race([finished, aborted.promise]).finally(() => signal.removeEventListener("abort", abort));
    }
    await this.onStop();
  }

  #method({ method, topics }: Handling): Handler {
    const handler = (this as unknown as Record<PropertyKey, unknown>)[method];
    if (typeof handler !== "function") throw new ValidationError("ERR_OPTION", `the agent ${this.id} has no method ${String(method)} for ${topics.join(", ")}; name one it has`, { details: { path: "handlers" } });
    return (event, context) => (handler as Handler).call(this, event, context);
  }

  /** Knows what still runs when the agent is to stop. */
  #counted(handler: Handler): Handler {
    return (event, context) => {
      const result = handler(event, context);
      if (!(result instanceof Promise)) return result;
      const settled = result.then(() => {}, () => {}).then(() => void this.#running.delete(settled));
      this.#running.add(settled);
      return result;
    };
  }

  #present(event: RouterEvent): void {
    const { capability } = event.payload as { readonly capability?: string };
    if (capability !== undefined && !this.capabilities.includes(capability)) return;
    const { correlationId } = event;
    this.publish("agent.present", { agent_id: this.id, capabilities: this.capabilities }, { correlationId, ephemeral: true } as PublishOptions)
      // Whoever asked does not wait for one that has left.
      .catch((error: unknown) => { if (!(error instanceof ConnectionError)) this.client.engine.report(error, event); });
  }
}
