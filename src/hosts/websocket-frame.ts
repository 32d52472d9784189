import type { Outgoing } from "../core/link.ts";

/** Above this many bytes, several frames are not worth copying into one. */
const COPIED = 64 * 1024;

/** A text frame as RFC 6455, 5.2 has it from a server: final, unmasked, uncompressed; header and text in one piece of memory. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x81;
  if (start === 2) frame[1] = length;
  else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    frame.writeUInt32BE(length % 2 ** 32, 6);
  }
  // Where each character is one byte, as in most JSON, the shorter way.
  frame.write(text, start, length === text.length ? "latin1" : "utf8");
  return frame;
}

/**
 * The bytes of messages. Those of one message are made once and kept on it for the other sessions that get it. Sessions that are served one after
 * another mostly get the same messages in the same order: then they share the joined bytes too.
 */
export class FrameWriter {
  #last: readonly Outgoing[] = [];
  #joined: Buffer | undefined;

  /** Everything in one piece, or in several where a copy would cost more than it saves. */
  bytes(messages: readonly Outgoing[]): readonly Buffer[] {
    if (messages.length === 1) return [encoded(messages[0]!)];
    if (this.#joined !== undefined && sameMessages(messages, this.#last)) return [this.#joined];
    const frames = messages.map(encoded);
    let size = 0;
    for (const { length } of frames) size += length;
    if (size > COPIED) return frames;
    this.#last = messages;
    this.#joined = Buffer.concat(frames, size);
    return [this.#joined];
  }
}

function encoded(message: Outgoing): Buffer {
  return (message.encoded ??= textFrame(message.text)) as Buffer;
}

function sameMessages(a: readonly Outgoing[], b: readonly Outgoing[]): boolean {
  return a.length === b.length && a.every((message, i) => message === b[i]);
}
