import { equal, failure, ok } from "../check.ts";
import type { Case } from "./router-contract.ts";

export function asking(inHome: Case): void {
  inHome("[P7] a request is answered once, by one of the responders", async ({ connect }) => {
    const [asker, one, other] = [connect(), connect(), connect()];
    const calls = { one: 0, other: 0 };
    const add = (who: keyof typeof calls) => (request: { payload: unknown }) => {
      calls[who]++;
      const { x, y } = request.payload as { x: number; y: number };
      return { result: x + y };
    };
    await one.respond("calculator.add", add("one")).ready;
    await other.respond("calculator.*", add("other")).ready;
    const responses = await Promise.all(Array.from({ length: 20 }, (_, i) => asker.request("calculator.add", { x: i, y: 1 })));
    equal(responses.map(({ payload }) => (payload as { result: number }).result), Array.from({ length: 20 }, (_, i) => i + 1));
    equal(calls.one + calls.other, 20);
    ok(calls.one > 0 && calls.other > 0, "they share the work");
  });

  inHome("nobody answers: the requester is told at once", async ({ connect }) => {
    const error = await failure(connect().request("nobody.home", {}));
    equal([error.name, error.code], ["NoRespondersError", "ERR_NO_RESPONDERS"]);
  });

  inHome("what a responder throws reaches the requester by name and message, never its stack", async ({ connect }) => {
    const [asker, responder] = [connect(), connect()];
    class NotFoundError extends Error { override name = "NotFoundError"; }
    await responder.respond("user.get", () => { throw new NotFoundError("User 7 not found"); }).ready;
    const error = await failure(asker.request("user.get", { id: 7 })) as Error & { details: { name: string } };
    equal([error.name, error.message, error.details.name], ["RemoteError", "User 7 not found", "NotFoundError"]);
    ok(!JSON.stringify(error).includes("asking.ts"), "no stack crosses");
  });

  inHome("[P7] no answer in time: unknown, not failed", async ({ connect }) => {
    const [asker, responder] = [connect(), connect()];
    await responder.respond("slow", () => new Promise(() => {})).ready;
    const error = await failure(asker.request("slow", {}, { timeout: 50 }));
    equal([error.name, error.code], ["TimeoutError", "ERR_TIMEOUT"]);
  });

  inHome("a responder that stops is asked no more", async ({ connect }) => {
    const [asker, responder] = [connect(), connect()];
    const handle = responder.respond("echo", (request) => request.payload);
    await handle.ready;
    equal((await asker.request("echo", [1])).payload, [1]);
    await handle.stop();
    equal((await failure(asker.request("echo", [1]))).code, "ERR_NO_RESPONDERS");
  });

  inHome("a request inside a handler does not wait for the handler's own window", async ({ connect }) => {
    const [client, responder] = [connect(), connect()];
    await responder.respond("square", (request) => (request.payload as number) ** 2).ready;
    const sums: number[] = [];
    let finished = (): void => {};
    const done = new Promise<void>((resolve) => { finished = resolve; });
    await client.subscribe("n", async (event) => {
      sums.push((await client.request("square", event.payload)).payload as number);
      if (sums.length === 600) finished();
    });
    for (let i = 0; i < 3; i++) await client.publishBatch(Array.from({ length: 200 }, (_, n) => ["n", i * 200 + n] as const));
    await done;
    equal(sums, Array.from({ length: 600 }, (_, i) => i ** 2));
  });
}
