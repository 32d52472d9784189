import fc from "fast-check";
import { expect, test } from "vitest";
import { Output } from "../../src/core/output.ts";

test("[P11] what is on its way is what was queued and sent less what was received, and ends at nothing", () => {
  const command = fc.oneof(
    fc.record({ tell: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ deliver: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ overtake: fc.integer({ min: 1, max: 50 }) }),
    fc.constant({ take: true as const }),
    fc.record({ receive: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
    const output = new Output(200, () => {});
    let queued = 0;
    let sent = 0;
    let received = 0;
    for (const one of commands) {
      if ("tell" in one) output.tell("t".repeat(one.tell));
      if ("deliver" in one) output.deliver({ text: "d".repeat(one.deliver) });
      if ("tell" in one) queued += one.tell;
      if ("deliver" in one) queued += one.deliver;
      if ("overtake" in one) {
        const before = queued;
        expect(output.overtakes({ text: "o".repeat(one.overtake) })).toBe(before === 0);
        if (before === 0) sent += one.overtake;
      }
      if ("take" in one) {
        for (const { text } of output.take()) sent += text.length;
        queued = 0;
      }
      if ("receive" in one) {
        const total = Math.floor(one.receive * sent);
        output.received(total);
        received = Math.max(received, total);
      }
      expect(output.onWay).toBe(queued + sent - received);
      expect(output.room).toBe(200 - output.onWay);
      for (const size of [1, 100, 200, 201]) expect(output.fits(size)).toBe(output.onWay === 0 || output.onWay + size <= 200);
    }
    for (const { text } of output.take()) sent += text.length;
    output.received(sent);
    expect(output.onWay).toBe(0);
  }), { numRuns: 300 });
});

test("frames of its own that stand together become one message, a shared one stays its own object; order is kept", () => {
  const output = new Output(1_000, () => {});
  const shared = { text: "shared" };
  for (const text of ["a", "b"]) output.tell(text);
  output.deliver(shared);
  output.tell("c");
  const messages = output.take();
  expect(messages.map(({ text }) => text)).toEqual(["a\nb", "shared", "c"]);
  expect(messages[1]).toBe(shared);
  expect(output.take()).toEqual([]);
});

test("calls for attention once until it is taken", () => {
  let calls = 0;
  const output = new Output(1_000, () => calls++);
  output.tell("a");
  output.deliver({ text: "b" });
  expect(calls).toBe(1);
  output.take();
  output.deliver({ text: "c" });
  expect(calls).toBe(2);
});

test("a received total that is more than was sent, or less than before, is nonsense and changes nothing", () => {
  const output = new Output(100, () => {});
  output.tell("x".repeat(60));
  output.received(60);
  expect(output.onWay).toBe(60);
  output.take();
  output.received(61);
  expect(output.onWay).toBe(60);
  output.received(50);
  output.received(10);
  expect(output.onWay).toBe(10);
});
