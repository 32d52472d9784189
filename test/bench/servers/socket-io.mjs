// Socket.IO, over WebSockets only: a room for fan-out, an answer for requests.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { endWithParent } from "../lib/processes.mjs";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], pingInterval: 600_000, serveClient: false, httpCompression: false, perMessageDeflate: false });
io.on("connection", (socket) => {
  if (socket.handshake.query.role === "sub") socket.join("ev");
  socket.on("pub", (event) => io.to("ev").emit("ev", event));
  socket.on("req", (data, answer) => answer(data));
});
http.listen(0, "127.0.0.1", () => console.log(`READY ${http.address().port}`));
endWithParent();
