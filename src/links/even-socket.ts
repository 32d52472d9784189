import ReconnectingWebSocket from "partysocket/ws";
import type { WebSocketConstructor } from "./websocket-like.ts";

/**
 * partysocket, which evens out what platforms' and applications' WebSockets do differently. When to try again is the link's business, so that it can be called off: partysocket's own waiting cannot, and
 * would keep a process alive after `close()`.
 * @param WebSocket default: the platform's
 */
export function evenSocket(WebSocket: WebSocketConstructor | undefined): WebSocketConstructor {
  return class extends ReconnectingWebSocket {
    constructor(url: string) {
      super(url, undefined, { WebSocket, maxEnqueuedMessages: 0, maxRetries: 0, shouldReconnectOnClose: () => false, connectionTimeout: 2 ** 31 - 1 });
    }
  };
}
