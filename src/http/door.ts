import { EventRouterError, fromWire } from "../core/errors.ts";
import { eventIds, randomText } from "../core/event-id.ts";
import type { PublishMode, PublishResult, RouterFrame } from "../core/frames.ts";
import type { EventLine } from "../core/line.ts";
import { Pipe, type Connectable } from "./pipe.ts";
import { helloOf, type Visitor } from "./visitor.ts";

export interface DoorSurroundings {
  now(): number;
  randomBytes(count: number): Uint8Array;
}

/** What became of a publish: when it was stamped (ms), and the fate of each event. */
export interface Published { readonly time: number; readonly results: readonly PublishResult[]; /** In their event streams. */ readonly versions: readonly (number | null)[] | undefined }

/** A page of the log, as the router's `read` answers; `next` is the seq to go on after, null at the end. */
export interface Page { readonly epoch: string; readonly events: readonly EventLine[]; readonly next: number | null }

interface Waiting { resolve(value: never): void; reject(error: EventRouterError): void }

/** One visitor's session, for whatever asks and is answered. Any number of requests may share it. */
export class Door {
  readonly #pipe: Pipe;
  readonly #waiting = new Map<number, Waiting>();
  readonly #eventId: () => string;
  readonly #gone: (door: Door) => void;
  #lastReq = 0;
  #epoch = "";
  #over: EventRouterError | undefined;

  private constructor(router: Connectable, visitor: Visitor, surroundings: DoorSurroundings, ready: Waiting, gone: (door: Door) => void) {
    this.#waiting.set(0, ready);
    this.#gone = gone;
    this.#eventId = eventIds(randomText(11, surroundings.randomBytes), surroundings.now);
    this.#pipe = new Pipe(router, visitor.caller, { frames: (frames, received) => this.#take(frames, received), closed: (error) => this.#end(error) });
  }

  /**
   * Says hello.
   * @param gone called when the router has ended the session.
   * @throws AuthenticationError, PermissionError or another of the router's reasons to refuse.
   */
  static async open(router: Connectable, visitor: Visitor, surroundings: DoorSurroundings, gone: (door: Door) => void = () => {}): Promise<Door> {
    let door: Door | undefined;
    await new Promise<void>((resolve, reject) => {
      door = new Door(router, visitor, surroundings, { resolve, reject }, gone);
      door.#pipe.send(helloOf(visitor));
    });
    return door!;
  }

  /** Which life of the namespace's log this session writes to. */
  get epoch(): string { return this.#epoch; }

  /** An id of this session's run: to be published in the order they were made. */
  eventId(): string { return this.#eventId(); }

  publish(lines: readonly string[], mode: PublishMode): Promise<Published> {
    return this.#ask((req) => `${JSON.stringify(["pub", req, lines.length, mode])}\n${lines.join("\n")}`);
  }

  /**
   * @param timeout ms
   * @param signal The caller no longer waits: the router forgets the request.
   */
  request(line: string, timeout: number, signal: AbortSignal): Promise<EventLine> {
    const req = this.#lastReq + 1;
    const leave = (): void => this.#pipe.send(`["cancel",${req}]`);
    signal.addEventListener("abort", leave);
    return this.#ask<EventLine>(() => `["req",${req},${timeout}]\n${line}`).finally(() => signal.removeEventListener("abort", leave));
  }

  call<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    return this.#ask((req) => JSON.stringify(["call", req, method, params]));
  }

  close(): void {
    this.#pipe.close();
    this.#end(new EventRouterError("ERR_CLOSED", "the session was closed", { retryable: true }));
  }

  #ask<T>(message: (req: number) => string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      const req = ++this.#lastReq;
      this.#waiting.set(req, { resolve, reject });
      this.#pipe.send(message(req));
    });
  }

  #take(frames: readonly RouterFrame[], received: number): void {
    for (const frame of frames) {
      switch (frame[0]) {
        case "welcome":
          this.#epoch = frame[1].epoch;
          this.#answered(0)?.resolve(undefined as never);
          break;
        case "pub": this.#answered(frame[1])?.resolve({ time: frame[2], results: frame[3], versions: frame[4] } as never); break;
        case "ok": this.#answered(frame[1])?.resolve(frame[2] as never); break;
        case "err": this.#answered(frame[1])?.reject(fromWire(frame[2])); break;
      }
    }
    this.#pipe.send(`["ack",${received}]`);
  }

  #answered(req: number): Waiting | undefined {
    const waiting = this.#waiting.get(req);
    this.#waiting.delete(req);
    return waiting;
  }

  #end(error: EventRouterError): void {
    this.#over = error;
    this.#gone(this);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
