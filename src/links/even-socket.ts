import ReconnectingWebSocket from "partysocket/ws";
import type { WebSocketConstructor, WebSocketLike } from "./websocket-like.ts";

type Listener = Parameters<WebSocketLike["addEventListener"]>[1];

/**
 * partysocket, which evens out what platforms' and applications' WebSockets do differently. When to try again is the link's business, so that it can be called off: partysocket's own waiting cannot, and
 * would keep a process alive after `close()`. A message goes to the link as it came: partysocket would make an event anew of each, and tell of it a second time.
 * @param WebSocket default: the platform's
 */
export function evenSocket(WebSocket: WebSocketConstructor | undefined): WebSocketConstructor {
  return function (url: string): WebSocketLike {
    let hear: Listener;
    return listening(new ReconnectingWebSocket(url, undefined, {
      // Made after the link has said who listens.
      WebSocket: function (address: string) { return listening(new (WebSocket ?? globalThis.WebSocket)(address), () => hear); },
      maxEnqueuedMessages: 0, maxRetries: 0, connectionTimeout: 2e9,
    }), (listener) => (hear = listener));
  } as unknown as WebSocketConstructor;
}

/** @param instead who listens to messages, in place of who asks to */
function listening(socket: WebSocketLike, instead: (listener: Listener) => Listener): WebSocketLike {
  const listen = socket.addEventListener;
  socket.addEventListener = (type, listener) => listen.call(socket, type, type === "message" ? instead(listener) : listener);
  return socket;
}
