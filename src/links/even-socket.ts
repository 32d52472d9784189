import ReconnectingWebSocket from "partysocket/ws";
import type { WebSocketConstructor } from "./websocket.ts";

/** A WebSocket constructor of an application, which may have events of its own kind and few of the platform's manners: partysocket evens them out. Coming back is the link's business. */
export function evenSocket(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return class extends ReconnectingWebSocket {
    constructor(url: string) {
      super(url, undefined, { WebSocket, maxEnqueuedMessages: 0, maxRetries: 0, shouldReconnectOnClose: () => false, connectionTimeout: 2 ** 31 - 1 });
    }
  };
}
