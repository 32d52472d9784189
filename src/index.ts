export { EventRouterClient, type EventRouterOptions } from "./event-router.ts";
export type { PublishOptions, RequestOptions } from "./client/client.ts";
export type { EncryptionKey, EncryptionOptions } from "./client/encryption/encryption-options.ts";
export type { Auth, ReconnectOptions } from "./client/options.ts";
export type { ClientState } from "./client/connection.ts";
export type { PublishInit, TogetherOptions } from "./client/publisher.ts";
export type { WaitOptions } from "./client/wait.ts";
export type { Receipt } from "./client/receipt.ts";
export type { ErrorListener, Logger } from "./client/reporter.ts";
export type { RequestHandler, RespondOptions, Responder } from "./client/responders.ts";
export type { Handler, Middleware } from "./client/handle-events.ts";
export type { CircuitBreakerOptions, ErrorHandlerOptions } from "./client/failure-options.ts";
export type { HandlerContext, OwnSubscription, User } from "./client/handler-context.ts";
export type { SubscribeInit, SubscribeOptions } from "./client/subscribe-options.ts";
export type { Subscription } from "./client/subscription.ts";
export type { Stream, StreamOptions } from "./client/stream.ts";
export type { AppendAllOptions, AppendInit, AppendOptions, FoldOptions, OnAppendOptions, ReadStreamOptions } from "./patterns/event-stream-options.ts";
export type { EventStream } from "./patterns/event-stream.ts";
export type { EventWindow, WindowOptions } from "./patterns/window-options.ts";
export type { WindowStream } from "./patterns/window-stream.ts";
export { EventEnabledAgent, type AgentOptions } from "./patterns/agent.ts";
export { ManagementAgent, type DeadLetter, type DeadLetterChoice, type DeadLetterQuery, type Health, type RouterStats, type SubscriptionInfo } from "./patterns/management-agent.ts";
export { discoverAgents, type DiscoverOptions, type DiscoveredAgent } from "./patterns/discover-agents.ts";
export { eventHandler, type HandlerMap } from "./patterns/event-handler.ts";
export { OrchestratorMixin, type Orchestrator } from "./patterns/orchestrator.ts";
export { publishAndWait, type PublishAndWaitOptions } from "./patterns/publish-and-wait.ts";
export type { WorkflowContext } from "./patterns/workflow-context.ts";
export type { Transaction } from "./client/transaction.ts";
export { defineEvents, type AnyEvents, type EventMap, type EventOf, type EventSchemas, type PayloadOf, type StandardSchema } from "./client/typed-events.ts";
export type { EventInit, EventMeta, RouterEvent } from "./core/event.ts";
export type { Filter as EventFilter } from "./core/filter.ts";
export { parseShortFilter } from "./core/short-filter.ts";
export type { Durability, Gap } from "./core/frames.ts";
export type { Duration } from "./core/duration.ts";
export {
  AuthenticationError, ConflictError, ConnectionError, EncryptionError, EventRouterError, NoRespondersError,
  PermissionError, PublishError, RemoteError, SubscriptionError, TimeoutError, ValidationError,
} from "./core/errors.ts";
