/** What these tests use of `@cloudflare/vitest-plugin`, by structure: the platform's own types would take the place of the DOM's in every other file. */
declare module "cloudflare:test" {
  export const SELF: { fetch(url: string, init?: RequestInit): Promise<Response & { readonly webSocket: PlatformSocket | null }> };
  export const env: Readonly<Record<string, never>> & { readonly EVENT_ROUTER: PlatformNamespace; readonly GUARDED: PlatformNamespace; readonly SWEEPING: PlatformNamespace; readonly RELAYED: PlatformNamespace; readonly GUARDED_RELAYED: PlatformNamespace };
  export function evictDurableObject(stub: PlatformStub): Promise<void>;
  export function abortAllDurableObjects(): Promise<void>;
  export function runDurableObjectAlarm(stub: PlatformStub): Promise<boolean>;
  export function runInDurableObject<R>(stub: PlatformStub, run: (instance: { alarm(): Promise<void> }, state: PlatformState) => R | Promise<R>): Promise<R>;

  export interface PlatformStub { fetch(url: string, init?: RequestInit): Promise<Response & { readonly webSocket: PlatformSocket | null }> }
  export interface PlatformNamespace { idFromName(name: string): unknown; get(id: unknown): PlatformStub }
  export interface PlatformState { readonly storage: { getAlarm(): Promise<number | null>; setAlarm(time: number): Promise<void>; readonly sql: { exec(query: string, ...values: unknown[]): { toArray(): Record<string, unknown>[] } } } }
  export interface PlatformSocket extends WebSocket { accept(): void }
}
