import { EventEnabledAgent } from "../../../src/patterns/agent.ts";
import { discoverAgents } from "../../../src/patterns/discover-agents.ts";
import { OrchestratorMixin } from "../../../src/patterns/orchestrator.ts";
import type { RouterEvent } from "../../../src/core/event.ts";
import { equal, failure } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

interface Task { readonly id?: string; readonly task?: string }

/** Agent with built-in event support. */
class MyAgent extends EventEnabledAgent {
  static override readonly handlers = { "task.assigned": "handleTask", "task.assign": "handleAssignment" };

  override async onStart(): Promise<void> {
    await this.publish("agent.started", { agent_id: this.id, capabilities: this.capabilities });
  }

  /** Handle assigned tasks. */
  async handleTask(event: RouterEvent<Task>): Promise<void> {
    const task = event.payload;
    try {
      const result = await this.processTask(task);
      await this.publish("task.completed", { task_id: task.id, result });
    } catch (error) {
      await this.publish("task.failed", { task_id: task.id, error: (error as Error).message });
    }
  }

  async handleAssignment(event: RouterEvent<Task>): Promise<void> {
    await this.reply(event, "task.completed", { result: await this.processTask(event.payload) });
  }

  /** Process the task. */
  async processTask({ id, task }: Task): Promise<{ status: string; issues?: readonly string[] }> {
    if (id === "bad") throw new Error("cannot be done");
    return task === "analyze_code" ? { status: "success", issues: ["no tests"] } : { status: "success" };
  }
}

/** Orchestrator with event coordination. */
class WorkflowOrchestrator extends OrchestratorMixin(EventEnabledAgent) {
  async executeWorkflow(workflowId: string, task: string): Promise<void> {
    await this.publishWorkflowEvent("started", workflowId);
    {
      await using ctx = this.workflowContext(workflowId);
      const taskEvent = await ctx.publishAndWait<{ result: { issues?: readonly string[] } }>("task.assign", { task }, { waitFor: "task.completed", timeout: "1m" });
      const { issues } = taskEvent.payload.result;
      if (issues !== undefined) await ctx.publish("review.needed", { issues });
      else await ctx.publish("deployment.approved", { workflow_id: workflowId });
    }
    await this.publishWorkflowEvent("completed", workflowId);
  }
}

/** The examples of the original design under "Agent Integration API", and finding agents. */
export function seedAgents(inHome: Case): void {
  inHome("seed: an agent says that it started, handles its tasks, and says how they ended", async ({ connect }) => {
    const observer = connect();
    const got = collector();
    await observer.subscribe(["agent.*", "task.completed", "task.failed"], got.handler);
    const agent = new MyAgent(connect(), { id: "worker-1", capabilities: ["review"] });
    await agent.start();
    await observer.publish("task.assigned", { id: "t-1" });
    await observer.publish("task.assigned", { id: "bad" });
    await got.count(3);
    await agent.stop();
    await observer.publish("task.assigned", { id: "t-2" });
    await got.count(4);
    equal(got.events.map(({ type, source, payload }) => [type, source, payload]), [
      ["agent.started", "worker-1", { agent_id: "worker-1", capabilities: ["review"] }],
      ["task.completed", "worker-1", { task_id: "t-1", result: { status: "success" } }],
      ["task.failed", "worker-1", { task_id: "bad", error: "cannot be done" }],
      ["agent.stopped", "worker-1", { agent_id: "worker-1" }],
    ]);
  });

  inHome("seed: an orchestrator runs a workflow: each step waits for its own answer, whoever else works", async ({ connect }) => {
    const observer = connect();
    const got = collector();
    await observer.subscribe(["workflow.*", "review.needed", "deployment.approved"], got.handler);
    const worker = await new MyAgent(connect(), { id: "worker-1" }).start();
    const orchestrator = await new WorkflowOrchestrator(connect(), { id: "chief" }).start();
    // An answer to somebody else is none.
    await observer.publish("task.completed", { result: { issues: ["another's"] } }, { correlationId: "another" });
    await Promise.all([orchestrator.executeWorkflow("wf-1", "analyze_code"), orchestrator.executeWorkflow("wf-2", "nothing")]);
    await got.count(6);
    const of = (id: string) => got.events.filter(({ correlationId }) => correlationId === id).map(({ type, payload }) => [type, payload]);
    equal(of("wf-1"), [["workflow.started", { workflow_id: "wf-1" }], ["review.needed", { issues: ["no tests"] }], ["workflow.completed", { workflow_id: "wf-1" }]]);
    equal(of("wf-2"), [["workflow.started", { workflow_id: "wf-2" }], ["deployment.approved", { workflow_id: "wf-2" }], ["workflow.completed", { workflow_id: "wf-2" }]]);
    await Promise.all([worker.stop(), orchestrator.stop()]);
  });

  inHome("publishAndWait without an answer is a TimeoutError; leaving the context ends the waiting", async ({ connect }) => {
    const orchestrator = await new WorkflowOrchestrator(connect(), { id: "chief" }).start();
    const ctx = orchestrator.workflowContext("wf-1");
    equal((await failure(ctx.publishAndWait("task.assign", {}, { waitFor: "task.completed", timeout: 20 }))).name, "TimeoutError");
    const left = failure(ctx.publishAndWait("task.assign", {}, { waitFor: "task.completed", timeout: "30s" }));
    await ctx[Symbol.asyncDispose]();
    equal((await left).name, "AbortError");
  });

  inHome("agents are found by what they can do; one that has gone, by stopping or by a crash, is not", async ({ connect }) => {
    const seeker = connect();
    const [reviewer, builder, crashing] = [connect(), connect(), connect()];
    const agents = await Promise.all([
      new MyAgent(reviewer, { id: "r", capabilities: ["review", "test"] }).start(),
      new MyAgent(builder, { id: "b", capabilities: ["build"] }).start(),
      new MyAgent(crashing, { id: "c", capabilities: ["review"] }).start(),
      new MyAgent(connect(), { id: "hidden", capabilities: ["review"], discoverable: false }).start(),
    ]);
    const find = async (capability?: string, limit?: number) => (await discoverAgents(seeker, { capability, limit, timeout: limit === undefined ? 100 : "1m" } as object)).map(({ id }) => id).sort();
    /** What is found in a short time, once that time was enough for all who are there. */
    const findAll = async (expected: readonly string[], capability?: string): Promise<void> => {
      let found = await find(capability);
      while (found.length < expected.length) found = await find(capability);
      equal(found, expected);
    };
    equal([await find("review", 2), await find(undefined, 3), (await find("review", 1)).length], [["c", "r"], ["b", "c", "r"], 1]);
    await findAll(["c", "r"], "review");
    await findAll([], "cook");
    // A client that is gone has told nobody that its agent stopped.
    await crashing.close();
    await findAll(["r"], "review");
    await agents[0].stop();
    await findAll([], "review");
  });
}
