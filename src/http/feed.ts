import type { Clock } from "../core/clock.ts";
import { EventRouterError, fromWire } from "../core/errors.ts";
import type { From, Gap, RouterFrame, SubscribeSpec } from "../core/frames.ts";
import type { EventLine } from "../core/line.ts";
import type { Position } from "../core/event.ts";
import { Pipe, type Connectable } from "./pipe.ts";
import { helloOf, type Visitor } from "./visitor.ts";

export type FeedItem =
  | { readonly state: "event"; readonly line: EventLine; readonly epoch: string }
  /** Where the reader stands now, though nothing has come. */
  | { readonly state: "place"; readonly place: Position }
  /** What is not delivered, and where the reader stands after it. */
  | { readonly state: "gap"; readonly gap: Gap; readonly place: Position };

export type Fed =
  | { readonly state: "items"; readonly items: readonly FeedItem[] }
  | { readonly state: "silent" }
  /** Nothing more will come; `error` says why, if not as asked. */
  | { readonly state: "over"; readonly error: EventRouterError };

const SUBSCRIPTION = 1;

/**
 * One subscription that is pulled. Nothing is acked before the next pull says that the last was taken: so a reader that stalls holds a window of
 * events in memory and no more, and has the rest from the log when it goes on.
 */
export class Feed {
  readonly #pipe: Pipe;
  readonly #clock: Clock;
  #items: FeedItem[] = [];
  #epoch = "";
  #received = 0;
  /** What the last pull gave, to be acked at the next. */
  #given = { received: 0, seq: 0 };
  #acked = 0;
  #over: EventRouterError | undefined;
  #arrived: (() => void) | undefined;

  private constructor(router: Connectable, visitor: Visitor, spec: SubscribeSpec, clock: Clock) {
    this.#clock = clock;
    this.#pipe = new Pipe(router, visitor.caller, {
      frames: (frames, received) => this.#take(frames, received, spec),
      closed: (error) => this.#end(error),
    });
    this.#pipe.send(helloOf(visitor));
  }

  /**
   * Resolves when the router has the subscription.
   * @throws AuthenticationError, PermissionError, ValidationError … if it refuses.
   */
  static async open(router: Connectable, visitor: Visitor, spec: SubscribeSpec & { readonly from: From }, clock: Clock): Promise<Feed> {
    const feed = new Feed(router, visitor, spec, clock);
    await feed.#arrival();
    if (feed.#over !== undefined && feed.#items.length === 0) throw feed.#over;
    return feed;
  }

  /** Acks what the last pull gave, then waits for something to come, at most `patience` ms. One pull at a time. */
  async pull(patience: number): Promise<Fed> {
    this.#ack();
    if (this.#items.length === 0 && this.#over === undefined) await this.#arrival(patience);
    if (this.#items.length > 0) return { state: "items", items: this.#give() };
    return this.#over === undefined ? { state: "silent" } : { state: "over", error: this.#over };
  }

  close(): void {
    this.#pipe.close();
    this.#end(new EventRouterError("ERR_CLOSED", "the feed was closed"));
  }

  #arrival(patience?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = patience === undefined ? () => {} : this.#clock.after(patience, () => this.#arrived?.());
      this.#arrived = () => {
        this.#arrived = undefined;
        cancel();
        resolve();
      };
    });
  }

  #give(): readonly FeedItem[] {
    const items = this.#items;
    this.#items = [];
    const last = items.findLast((item) => item.state === "event" && item.line[0] > 0);
    this.#given = { received: this.#received, seq: last?.state === "event" ? last.line[0] : this.#given.seq };
    return items;
  }

  #ack(): void {
    const { received, seq } = this.#given;
    if (received === this.#acked) return;
    this.#acked = received;
    this.#pipe.send(JSON.stringify(["ack", received, SUBSCRIPTION, seq]));
  }

  #take(frames: readonly RouterFrame[], received: number, spec: SubscribeSpec): void {
    this.#received = received;
    for (const frame of frames) {
      switch (frame[0]) {
        case "welcome": this.#pipe.send(JSON.stringify(["sub", SUBSCRIPTION, spec])); break;
        case "on":
          this.#epoch = frame[2];
          this.#items.push({ state: "place", place: { epoch: frame[2], seq: frame[3] } });
          break;
        case "gap": this.#takeGap(frame[2]); break;
        case "ev": case "mix":
          for (const line of frame[2]) this.#items.push({ state: "event", line, epoch: this.#epoch });
          break;
        case "end": return this.#end(frame[2] === undefined ? new EventRouterError("ERR_CLOSED", "the subscription has ended") : fromWire(frame[2]));
      }
    }
    if (this.#items.length > 0) this.#arrived?.();
  }

  /** A gap and the place after it are one item: who has not heard of the gap must not go on behind it. */
  #takeGap(gap: Gap): void {
    const last = this.#items.at(-1);
    if (gap.to !== null) this.#items.push({ state: "gap", gap, place: { epoch: this.#epoch, seq: gap.to } });
    else if (last?.state === "place") this.#items.splice(-1, 1, { state: "gap", gap, place: last.place });
    // Revoked: nothing more comes from here on.
    else this.#items.push({ state: "gap", gap, place: { epoch: this.#epoch, seq: gap.from - 1 } });
  }

  #end(error: EventRouterError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#pipe.close();
    this.#arrived?.();
  }
}
