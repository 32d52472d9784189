import { equal, failure } from "../check.ts";
import type { Case } from "./router-contract.ts";
import { collector } from "./kit.ts";

interface Page { readonly events: readonly (readonly unknown[])[]; readonly length: number; readonly next: number | null }

export function streaming(inHome: Case): void {
  inHome("events that name a stream get its next version, in receipts, deliveries and reads", async ({ connect }) => {
    const client = connect({ name: "me" });
    const got = collector();
    await client.subscribe("order.*", { filter: { stream: "order-1" } }, got.handler);
    const receipts = await Promise.all([client.publish("order.created", 1, { stream: "order-1" }), client.publish("order.paid", 2, { stream: "order-2" }), client.publish("order.paid", 3, { stream: "order-1" })]);
    equal(receipts.map(({ version }) => version), [0, 0, 1]);
    await got.count(2);
    equal(got.events.map(({ stream, version, seq, source }) => [stream, version, seq, source]), [["order-1", 0, 1, "me"], ["order-1", 1, 3, "me"]]);
    const page = await client.call("stream", { stream: "order-1" }) as Page;
    equal([page.events.map(([seq]) => seq), page.length, page.next], [[1, 3], 2, null]);
    const back = await client.call("stream", { stream: "order-1", direction: "backward", limit: 1 }) as Page;
    equal([back.events.map(([seq]) => seq), back.next], [[3], 0]);
  });

  inHome("an expected version lets one of two writers win, and tells the other where the stream is", async ({ connect }) => {
    const [one, two] = [connect(), connect()];
    const append = (client: typeof one, version: number | "no-stream") => client.publishEvents([{ type: "a", stream: "s" }, { type: "b", stream: "s" }], { expect: { stream: "s", version } });
    const results = await Promise.allSettled([append(one, "no-stream"), append(two, "no-stream")]);
    const lost = results.find((result) => result.status === "rejected");
    equal([results.filter(({ status }) => status === "fulfilled").length, lost!.reason.name, lost!.reason.code, lost!.reason.details.actualVersion], [1, "ConflictError", "ERR_STREAM_VERSION", 1]);
    equal((await append(two, 1)).map(({ version, status }) => [version, status]), [[2, "published"], [3, "published"]]);
  });

  inHome("wrong names and versions are refused with what is right", async ({ connect }) => {
    const client = connect();
    equal((await failure(client.publish("a", 1, { stream: "no spaces" }))).code, "ERR_STREAM");
    equal((await failure(client.publish("a", 1, { stream: "s", ephemeral: true }))).code, "ERR_STREAM");
    equal((await failure(client.publishEvents([{ type: "a", stream: "s" }], { expect: { stream: "s", version: -2 } }))).code, "ERR_EXPECTED_VERSION");
    equal((await failure(client.call("stream", { stream: "$x" }))).code, "ERR_STREAM");
    equal((await failure(client.call("stream", { stream: "s", direction: "up" }))).code, "ERR_PARAMETER");
    equal((await client.publish("a", 1)).seq, 1, "nothing of it was stored");
  });
}
