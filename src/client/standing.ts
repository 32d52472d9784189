import { asyncDispose } from "../core/dispose.ts";

/** What runs until it is stopped. */
export interface Running {
  readonly ready: Promise<unknown>;
  stop(): Promise<void>;
}

/** A handle on it for applications. */
export type Standing<T> = T & {
  readonly ready: Promise<Standing<T>>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A handle on what is begun when its code has come. What is wrong with it reaches `onError`, or who asks for `ready`. */
export function standing<T extends object>(what: T, begun: Promise<Running>, report: (error: unknown) => void): Standing<T> {
  let asked = false;
  const ready = begun.then(async (running) => {
    await running.ready;
    return handle;
  });
  ready.catch((error: unknown) => { if (!asked) report(error); });
  const stop = (): Promise<void> => begun.then((running) => running.stop(), () => {});
  const handle: Standing<T> = {
    ...what,
    get ready() {
      asked = true;
      return ready;
    },
    stop,
    [asyncDispose]: stop,
  };
  return handle;
}
