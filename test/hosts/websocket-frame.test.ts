import * as ws from "ws";
import { expect, test } from "vitest";
import { FrameWriter, textFrame } from "../../src/hosts/websocket-frame.ts";

const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } };

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])("a text of %i characters is framed as `ws` frames it, also where characters have several bytes", (length) => {
  for (const text of ["x".repeat(length), "é☃😀".repeat(Math.ceil(length / 4)).slice(0, length).toWellFormed()]) {
    const expected = Buffer.concat(Sender.frame(Buffer.from(text), { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false }));
    expect(textFrame(text).equals(expected)).toBe(true);
  }
});

test("the bytes of a message are made once, and so are those of several that are sent to one session after another", () => {
  const writer = new FrameWriter();
  const [a, b, c] = ["a", "b", "c"].map((text) => ({ text }));
  const [alone] = writer.bytes([a!]);
  expect(writer.bytes([a!])[0]).toBe(alone);
  const [both] = writer.bytes([a!, b!]);
  expect(both!.toString("latin1")).toBe("\x81\x01a\x81\x01b");
  expect(writer.bytes([a!, b!])[0]).toBe(both);
  expect(writer.bytes([a!, c!])[0]).not.toBe(both);
  expect(writer.bytes([a!, b!, c!])[0]!.length).toBe(9);
});

test("large messages are not copied into one", () => {
  const messages = [{ text: "x".repeat(50_000) }, { text: "y".repeat(50_000) }];
  const pieces = new FrameWriter().bytes(messages);
  expect(pieces).toHaveLength(2);
  expect(pieces[1]).toBe((messages[1] as { encoded?: unknown }).encoded);
});
