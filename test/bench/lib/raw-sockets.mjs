// Wire clients written by hand, which count what comes and nothing more: every contender costs the load generator about the same, and the server is what
// is measured. A `wire` says how one of them speaks:
//   greeting(role)   [text to send, what the answer must look like] by turns, after the upgrade; or if it speaks no WebSocket,
//   handshake(role)  the same from the first byte
//   publisher()      (count) → bytes that publish so many events; the counterpart of what `counter` counts
//   counter(write)   (bytes, length) → how many events came with these bytes; it may write what the protocol wants of a reader
import { connect } from "node:net";

/** All sockets read into this: nothing is kept of what comes. */
const shared = Buffer.allocUnsafe(512 * 1024);

/** Opens a socket and goes through the greeting; `arrived(events)` is called for every read after that. */
export function openSocket(wire, port, role, arrived = () => {}) {
  return new Promise((resolve, reject) => {
    const steps = wire.handshake?.(role) ?? [[upgrade(wire.path(role), port), /\r\n\r\n/], ...wire.greeting(role).map(([text, answer]) => [textFrame(text), answer])];
    let step = -1;
    let answer = "";
    let count;
    const next = () => {
      answer = "";
      if (++step < steps.length) return void socket.write(steps[step][0]);
      clearTimeout(late);
      count = wire.counter((bytes) => socket.write(bytes), role);
      resolve(socket);
    };
    const late = setTimeout(() => reject(new Error(`no answer in the handshake, step ${step}: ${answer.slice(0, 200)}`)), 15_000);
    const socket = connect({
      host: "127.0.0.1", port, noDelay: true,
      onread: {
        buffer: shared,
        callback(length, bytes) {
          if (count !== undefined) arrived(count(bytes, length));
          else {
            answer += bytes.latin1Slice(0, length);
            if (steps[step][1].test(answer)) next();
          }
          return true;
        },
      },
    });
    socket.once("connect", next);
    socket.on("error", reject);
    socket.on("close", () => { throw new Error("the server has closed a connection"); });
  });
}

/** Several, a few at a time. */
export async function openSockets(wire, port, count, role, arrived) {
  const sockets = [];
  let begun = 0;
  const lane = async () => {
    while (begun < count) {
      const i = begun++;
      sockets[i] = await openSocket(wire, port, role, (events) => arrived(i, events));
    }
  };
  await Promise.all(Array.from({ length: Math.min(64, count) }, lane));
  return sockets;
}

function upgrade(path, port) {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
}

/** A text frame from a client, masked with zeros: the same bytes. */
export function textFrame(text) {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? [0x81, 0x80 | length] : length < 65_536 ? [0x81, 0xfe, length >> 8, length & 255] : [0x81, 0xff, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  const frame = Buffer.alloc(header.length + 4 + length);
  frame.set(header);
  frame.write(text, header.length + 4);
  return frame;
}

/** Calls back with the length of each frame from a server when its end has come; `(bytes, length)` may be cut anywhere. */
export function frameLengths(ended) {
  let left = 0;
  let length = 0;
  // Bytes of the header: which one is next, and how many of an extended length are to come.
  let at = 0;
  let more = 0;
  return (bytes, end) => {
    for (let i = 0; i < end;) {
      if (left > 0) {
        const taken = Math.min(left, end - i);
        i += taken;
        left -= taken;
        if (left === 0) ended(length);
        continue;
      }
      const byte = bytes[i++];
      if (at === 0) at = 1;
      else if (at === 1) {
        more = byte < 126 ? 0 : byte === 126 ? 2 : 8;
        length = more === 0 ? byte : 0;
        at = 2;
      } else {
        length = length * 256 + byte;
        more--;
      }
      if (at === 2 && more === 0) {
        at = 0;
        left = length;
        if (left === 0) ended(0);
      }
    }
  };
}

/** Where every frame is one event and all are of one size, bytes are counted. */
export const countBytes = (frame) => () => (_, length) => length / frame;
/** Length of a server's frame. */
const framed = (text) => (text.length < 126 ? 2 : 4) + text.length;

export const wires = {
  /** A bare `ws` server that passes on what it gets. */
  ws(json) {
    const frame = textFrame(json);
    return { path: (role) => `/${role}`, greeting: () => [], publisher: () => (count) => repeated(frame, count), counter: countBytes(framed(json)) };
  },
  /** The same from a server that joins the events of one turn in a message, by line feeds. */
  wsTogether(json) {
    return {
      ...wires.ws(json),
      path: (role) => `/${role}-together`,
      counter() {
        let events = 0;
        const walk = frameLengths((length) => { events += (length + 1) / (json.length + 1); });
        return (bytes, length) => {
          events = 0;
          walk(bytes, length);
          return events;
        };
      },
    };
  },
  socketIo(json) {
    const frame = textFrame(`42["pub",${json}]`);
    return {
      path: (role) => `/socket.io/?EIO=4&transport=websocket&role=${role}`,
      // What the upgrade is answered with ends with the first packet.
      greeting: () => [["40", /40\{"sid":"[^"]+".*\}$/]],
      publisher: () => (count) => repeated(frame, count), counter: countBytes(framed(`42["ev",${json}]`)),
    };
  },
  /** Ours; `rest` is what stands behind the id in a publisher's line. */
  router(rest, spec = { topics: ["user.*"] }) {
    return {
      path: () => "/ws",
      greeting: (role) => [['["hello",{"v":1}]', /\["welcome".*\]$/], ...(role === "sub" ? [[JSON.stringify(["sub", 1, spec]), /\["on".*\]/]] : [])],
      publisher: () => routerPublisher(rest),
      counter: (write, role) => (role === "sub" ? routerReader(write, rest) : routerAnswers(write)),
    };
  },
};

export const repeated = (frame, count) => (count === 1 ? frame : Buffer.concat(Array.from({ length: count }, () => frame)));

/** Makes publisher's lines with running numbers. */
export function routerLines(rest) {
  const instance = `evt_0Vd3kQx2${crypto.randomUUID().replaceAll("-", "").slice(0, 11)}`;
  let number = 0;
  return () => `["${instance}${base62(++number)}",${rest}`;
}

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
function base62(number) {
  let text = "";
  for (let i = 0; i < 6; i++) {
    text = digits[number % 62] + text;
    number = Math.floor(number / 62);
  }
  return text;
}

/** What is published together is one frame, as our client does it. */
function routerPublisher(rest) {
  const line = routerLines(rest);
  let req = 0;
  return (count) => {
    let text = `["pub",${++req},${count},{"as":"each","run":1}]`;
    for (let i = 0; i < count; i++) text += `\n${line()}`;
    return textFrame(text);
  };
}

/** Acknowledges when half of the window is used, as our client does. */
const ACK_EVENTS = 128;

/** Counts events by the length of their frames: `["ev",[1],[` + lines joined by commas + `]]`; only the digits of the seq vary, and the seq is known. */
function routerReader(write, rest) {
  let seq = 0;
  let acked = 0;
  let received = 0;
  // [seq,1795450137760,0,"evt_…(25)", and the rest
  const withoutSeq = `[,${Date.now()},0,"evt_${"0".repeat(25)}",${rest}`.length;
  const walk = frameLengths((length) => {
    received += length;
    // A frame in which the seqs get a digit more is counted one by one.
    const count = Math.round((length - 12) / (withoutSeq + String(seq + 1).length + 1));
    if (String(seq + 1).length === String(seq + count).length) seq += count;
    else for (let left = length - 12; left > 0; left -= withoutSeq + String(seq).length + 1) seq++;
    if (seq - acked < ACK_EVENTS) return;
    acked = seq;
    write(textFrame(`["ack",${received},1,${seq}]`));
  });
  return (bytes, length) => {
    const before = seq;
    walk(bytes, length);
    return seq - before;
  };
}

/** A publisher reads its answers, and says now and then that it has. */
function routerAnswers(write) {
  let received = 0;
  let acked = 0;
  const walk = frameLengths((length) => {
    received += length;
    if (received - acked < 256 * 1024) return;
    acked = received;
    write(textFrame(`["ack",${received}]`));
  });
  return (bytes, length) => {
    walk(bytes, length);
    return 0;
  };
}
