// The least that a durable publish over a WebSocket takes: ws-durable.mjs FILE
// Every message is an event; those of one turn are one transaction, and are answered in one write.
import { DatabaseSync } from "node:sqlite";
import { Sender, WebSocketServer } from "ws";
import { endWithParent } from "../lib/processes.mjs";

const database = new DatabaseSync(process.argv[2]);
database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE log (seq INTEGER PRIMARY KEY, topic TEXT, body BLOB)");
const insert = database.prepare("INSERT INTO log (topic, body) VALUES (?, ?)");
const answer = Buffer.concat(Sender.frame(Buffer.from("ok"), { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false }));
let waiting = [];

function commit() {
  const group = waiting;
  waiting = [];
  const answers = new Map();
  database.exec("BEGIN");
  for (const [socket, data] of group) {
    insert.run("user.created", data);
    answers.set(socket, (answers.get(socket) ?? 0) + 1);
  }
  database.exec("COMMIT");
  for (const [socket, count] of answers) socket._socket.write(count === 1 ? answer : Buffer.concat(Array.from({ length: count }, () => answer)));
}

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("connection", (socket) => socket.on("message", (data) => { if (waiting.push([socket, data]) === 1) setImmediate(commit); }));
server.on("listening", () => console.log(`READY ${server.address().port}`));
endWithParent();
