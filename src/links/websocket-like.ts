/** The part of a WebSocket constructor that is used. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface WebSocketLike {
  readonly readyState: number;
  binaryType: string;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- events differ by platform
  addEventListener(type: string, listener: (event: any) => void): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  removeEventListener(type: string, listener: (event: any) => void): void;
}
