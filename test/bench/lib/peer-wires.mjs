// Wire clients of peers that do not speak WebSocket, as in raw-sockets.mjs.
import { countBytes, repeated } from "./raw-sockets.mjs";

const wire = (handshake, publication, delivery) => ({ handshake, publisher: () => (count) => repeated(publication, count), counter: countBytes(delivery) });
const PING = "PING\r\n";
const bytes = (text) => Buffer.byteLength(text);

/** Of MQTT 3.1.1: a length of seven bits a byte, a text with its length before it, a packet. */
const lengthBytes = (length) => (length < 128 ? [length] : [(length & 127) | 128, ...lengthBytes(length >> 7)]);
const mqttText = (text) => Buffer.concat([Buffer.from([bytes(text) >> 8, bytes(text) & 255]), Buffer.from(text)]);
const packet = (type, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type, ...lengthBytes(body.length)]), body]);
};

export const peerWires = {
  nats(json) {
    const delivery = bytes(`MSG ev 1 ${bytes(json)}\r\n${json}\r\n`);
    const connecting = (role) => `CONNECT {"verbose":false,"pedantic":false}\r\n${role === "sub" ? "SUB ev 1\r\n" : ""}PING\r\n`;
    return {
      ...wire((role) => [["", /^INFO [^]*\r\n$/], [connecting(role), /PONG\r\n$/]], Buffer.from(`PUB ev ${bytes(json)}\r\n${json}\r\n`), delivery),
      /** The server asks once, some seconds after the connection, whether anybody is there. */
      counter(write) {
        let asked = false;
        return (read, length) => {
          if (asked || read.subarray(0, length).indexOf(PING) < 0) return length / delivery;
          asked = true;
          write("PONG\r\n");
          return (length - PING.length) / delivery;
        };
      },
    };
  },
  redis: (json) => wire((role) => [role === "sub" ? ["SUBSCRIBE ev\r\n", /:1\r\n$/] : ["PING\r\n", /PONG\r\n$/]], Buffer.from(`*3\r\n$7\r\nPUBLISH\r\n$2\r\nev\r\n$${bytes(json)}\r\n${json}\r\n`), bytes(`*3\r\n$7\r\nmessage\r\n$2\r\nev\r\n$${bytes(json)}\r\n${json}\r\n`)),
  mqtt(json) {
    const publication = packet(0x30, mqttText("ev"), Buffer.from(json));
    const connecting = () => packet(0x10, mqttText("MQTT"), Buffer.from([4, 2, 14, 16]), mqttText(crypto.randomUUID()));
    return wire((role) => [[connecting(), /^[^]{4}/], ...(role === "sub" ? [[packet(0x82, Buffer.from([0, 1]), mqttText("ev"), Buffer.from([0])), /^[^]{5}/]] : [])], publication, publication.length);
  },
};
