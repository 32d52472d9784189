import { Client } from "./client/client.ts";
import type { CircuitBreakerOptions, ErrorHandlerOptions } from "./client/failure-options.ts";
import type { Middleware } from "./client/handle-events.ts";
import { lazily } from "./client/middleware.ts";
import type { Check } from "./client/permission.ts";
import type { AnyEvents, EventMap, EventOf } from "./client/typed-events.ts";
import type { WindowOptions } from "./patterns/window-options.ts";
import { EventStream } from "./patterns/event-stream.ts";
import { startSaga, type RunningSaga } from "./patterns/saga-handle.ts";
import type { SagaClass, SagaDefinition, SagaState } from "./patterns/saga-options.ts";
import type { Sagas } from "./patterns/sagas.ts";
import { WindowStream } from "./patterns/window-stream.ts";

/** A client with the patterns on it, each loaded when it is used. Knows no transport. */
export class PatternClient<Events extends EventMap = AnyEvents, Inputs extends EventMap = Events> extends Client<Events, Inputs> {
  /**
   * Surrounds a handler of events or requests: runs it again when it fails, then makes the event a dead letter, or hands its last error on to `onError`
   * or the requester. Order is kept meanwhile. Wrong options reach `onError` as a ValidationError.
   * @example
   * client.on("user.created", client.errorHandler({ maxRetries: 3, backoff: "exponential", deadLetterQueue: true })(handler));
   */
  errorHandler(options?: ErrorHandlerOptions): Middleware {
    return lazily(this.engine, () => import("./client/retry.ts").then(({ retry }) => retry(this.engine, options)));
  }

  /**
   * Surrounds handlers that use one service, and spares it when it fails. While it is open nothing is lost: events wait, or inside an `errorHandler`
   * are retried when it may be back; requests fail at once. Wrong options reach `onError` as a ValidationError.
   * @example
   * client.on("external.api.call", client.circuitBreaker({ failureThreshold: 5, recoveryTimeout: "30s", expectedException: ApiError })(handler));
   */
  circuitBreaker(options?: CircuitBreakerOptions): Middleware {
    return lazily(this.engine, () => import("./client/circuit-breaker.ts").then(({ circuitBreaker }) => circuitBreaker(this.engine, options)));
  }

  /**
   * Surrounds a handler, which then runs only while the router says that this client has the permission; else the event fails with a PermissionError.
   * A second line of defence: the router itself checks what reaches this client at all.
   * @example
   * client.on("admin.*", client.requirePermission("admin")(handler));
   */
  requirePermission(permission: string): Middleware {
    return lazily(this.engine, () => import("./client/permission.ts").then(({ requirePermission }) => requirePermission(permission)));
  }

  /**
   * Surrounds a handler, which then runs only where `check` returns, or resolves to, something true; else the event fails with a PermissionError.
   * @example
   * client.on("sensitive.*", client.authorize((event, { user }) => user.hasPermission(`read:${event.type}`))(handler));
   */
  authorize(check: Check): Middleware {
    return lazily(this.engine, () => import("./client/permission.ts").then(({ authorize }) => authorize(check)));
  }

  /**
   * Events by spans of their time. Subscribes at once; iterating throws a ValidationError for times that make no sense.
   * @example
   * for await (const window of client.window("metrics.*", { size: "1m", slide: "30s" })) console.log(window.start, window.length);
   */
  window<Pattern extends string>(topics: Pattern | readonly Pattern[], options: WindowOptions = {} as WindowOptions): WindowStream<EventOf<Events, Pattern>> {
    const { size: _, slide: __, allowedLateness: ___, ...rest } = options;
    return new WindowStream({ tools: this.engine, stream: this.stream(topics, rest), topics, options });
  }

  /** The events of one thing, each with a version. @param name 1–128 characters of `A-Z a-z 0-9 _ . : @ -` */
  eventStream(name: string): EventStream {
    return new EventStream({ client: this as unknown as Client, tools: this.engine, stream: name });
  }

  /**
   * Runs a saga: steps that events bring about, each with its effect once, and taken back when the whole fails. Processes that run the same saga share its
   * events, and take over from one that crashes.
   * @example
   * client.saga("process_order", { correlate: (event) => event.payload.order_id, steps: { "order.created": { start: true, run: (event, saga) => saga.complete() } } });
   */
  saga<State = SagaState>(name: string, saga: SagaDefinition<State> | SagaClass): RunningSaga {
    return startSaga(this as unknown as Client, this.engine, name, saga as SagaDefinition<never>);
  }

  /** The instances of a saga, as the log has them. */
  sagas<State = SagaState>(name: string): Sagas<State> {
    const load = () => import("./patterns/sagas.ts");
    return {
      get: async (key) => (await load()).getSaga(this as unknown as Client, this.engine, name, key),
      list: async (options) => (await load()).listSagas(this.engine, name, options),
    } as Sagas<State>;
  }
}
