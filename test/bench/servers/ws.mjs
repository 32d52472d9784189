// Bare `ws`, what a server must at least do: ws.mjs MODE
//   frame      each event is one ready frame, made once and written to every subscriber
//   coalesced  the same, and all events of one turn of the loop are one write for each subscriber: the limit of fan-out on one thread
//   echo       answers who asks        relay      passes requests to a responder and its answers back
import { Sender, WebSocketServer } from "ws";
import { endWithParent } from "../lib/processes.mjs";

const mode = process.argv[2];
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false, clientTracking: false });
const frameOf = (data) => Buffer.concat(Sender.frame(data, { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false }));
const subscribers = new Set();
const write = (bytes) => { for (const one of subscribers) one._socket.write(bytes); };
let waiting = [];
const publish = {
  frame: (data) => write(frameOf(data)),
  coalesced(data) {
    if (waiting.push(frameOf(data)) > 1) return;
    setImmediate(() => {
      const bytes = waiting.length === 1 ? waiting[0] : Buffer.concat(waiting);
      waiting = [];
      write(bytes);
    });
  },
}[mode];

/** Requests carry eight digits for the connection that asked. */
const requesters = new Map();
let responder;
function relay(socket, path) {
  if (path === "/responder") {
    responder = socket;
    return socket.on("message", (data) => requesters.get(data.latin1Slice(0, 8)).send(data, { binary: false }));
  }
  const id = String(requesters.size).padStart(8, "0");
  requesters.set(id, socket);
  socket.on("message", (data) => {
    data.write(id, 0, "latin1");
    responder.send(data, { binary: false });
  });
}

server.on("connection", (socket, { url }) => {
  socket.on("error", () => {});
  if (mode === "echo") socket.on("message", (data) => socket.send(data, { binary: false }));
  else if (mode === "relay") relay(socket, url);
  else if (url === "/pub") socket.on("message", publish);
  else {
    subscribers.add(socket);
    socket.on("close", () => subscribers.delete(socket));
  }
});
server.on("listening", () => console.log(`READY ${server.address().port}`));
endWithParent();
