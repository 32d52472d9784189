import type { Client } from "../client/client.ts";
import type { Tools } from "../client/failure-options.ts";
import { decodeLine, timestamps, type EventLine } from "../core/line.ts";
import { SagaLog } from "./saga-log.ts";
import type { SagaInstance, SagaState, SagaStatus } from "./saga-options.ts";
import type { SagaRecord } from "./saga-record.ts";

interface Page { readonly epoch: string; readonly events: readonly EventLine[]; readonly next: number | null }

/** The instances of a saga, as the log has them. */
export interface Sagas<State = SagaState> {
  get(key: string | number): Promise<SagaInstance<State> | undefined>;
  /** Those that retention left, in the order they moved last. Looks through the log, so it is for people, not for each event. */
  list(options?: { readonly status?: SagaStatus; readonly signal?: AbortSignal }): Promise<SagaInstance<State>[]>;
}

export async function getSaga(client: Client, tools: Tools, name: string, key: string | number): Promise<SagaInstance | undefined> {
  const stored = await new SagaLog(client, tools, name).load(String(key));
  return stored && instanceOf(stored.record);
}

export async function listSagas(tools: Tools, name: string, { status, signal }: { readonly status?: SagaStatus; readonly signal?: AbortSignal } = {}): Promise<SagaInstance[]> {
  const newest = new Map<string, SagaInstance>();
  const timestamp = timestamps();
  const vault = await tools.vault();
  const topics = ["started", "stepped", "completed", "compensating", "compensated", "failed"].map((what) => `saga.${name}.${what}`);
  for (let after: number | null = 0; after !== null; ) {
    const page = await tools.call("read", { topics, after, limit: 1_000 }, { signal }) as Page;
    for (const line of page.events) {
      const event = decodeLine(line, page.epoch, timestamp);
      await vault?.openEvent(event);
      const instance = instanceOf(event.payload as SagaRecord);
      newest.delete(instance.key);
      newest.set(instance.key, instance);
    }
    after = page.next;
  }
  return [...newest.values()].filter((instance) => status === undefined || instance.status === status);
}

function instanceOf({ key, status, state, steps, reason }: SagaRecord): SagaInstance {
  return { key, status, state, steps, ...(reason !== undefined && { reason }) } as SagaInstance;
}
