import type { PublishOptions } from "../client/client.ts";
import type { Receipt } from "../client/receipt.ts";
import { WorkflowContext } from "./workflow-context.ts";
import type { EventEnabledAgent } from "./agent.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a mixin's base takes what it takes
type AgentClass = new (...args: any[]) => EventEnabledAgent;

// oxlint-disable-next-line typescript/no-explicit-any -- only so does the compiler know a mixin
type OrchestratorClass = new (...args: any[]) => Orchestrator;

/** What an orchestrator can do besides an agent. */
export interface Orchestrator {
  /** Publishes `workflow.<what>`. */
  publishWorkflowEvent(what: string, workflowId: string, payload?: Readonly<Record<string, unknown>>, options?: PublishOptions): Promise<Receipt>;
  /** The events of one run of a workflow. */
  workflowContext(workflowId: string): WorkflowContext;
}

/**
 * Makes agents that coordinate others.
 * @example
 * class Builder extends OrchestratorMixin(EventEnabledAgent) {
 *   async build(workflowId: string) {
 *     await using ctx = this.workflowContext(workflowId);
 *     const done = await ctx.publishAndWait("task.assign", { task: "compile" }, { waitFor: "task.completed", timeout: "30s" });
 *   }
 * }
 */
export function OrchestratorMixin<Base extends AgentClass>(Base: Base): Base & OrchestratorClass {
  return class extends Base implements Orchestrator {
    publishWorkflowEvent(what: string, workflowId: string, payload: Readonly<Record<string, unknown>> = {}, options: PublishOptions = {}): Promise<Receipt> {
      return this.publish(`workflow.${what}`, { workflow_id: workflowId, ...payload }, { correlationId: workflowId, ...options });
    }

    workflowContext(workflowId: string): WorkflowContext {
      return new WorkflowContext(this.client, workflowId, this.id);
    }
  };
}
