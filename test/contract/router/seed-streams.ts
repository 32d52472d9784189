import { equal, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

/** The examples of the original design under "Stream Processing" (windows) and "Event Sourcing". */
export function seedStreams(inHome: Case): void {
  inHome("seed: windowed processing, each event in all windows that span it", async ({ connect }) => {
    const client = connect();
    const averages = collector();
    await client.subscribe("metrics.average", averages.handler);
    const windows = client.window("metrics.cpu", { size: "40ms", slide: "20ms" });
    await windows.ready;
    await client.publishBatch([1, 2, 6].map((value) => ["metrics.cpu", { value }] as const));
    let given = 0;
    for await (const window of windows) {
      let sum = 0;
      for (const event of window) sum += (event.payload as { value: number }).value;
      await client.publish("metrics.average", { value: sum / window.length });
      ok(window.end.getTime() - window.start.getTime() === 40, "a window spans its size");
      // No further event comes: the clock closes them.
      if (++given === 2) break;
    }
    equal((await averages.count(2)).map(({ payload }) => payload), [{ value: 3 }, { value: 3 }]);
    equal(windows.late, 0);
  });
}
