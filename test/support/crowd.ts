import { WebSocket } from "ws";
import { EventRouterClient, type RouterEvent } from "../../src/index.ts";

/** Subscribers that keep up, each on a connection of its own. What each gets must rise in the log: so who has had as many events as there are has had all. */
export class Crowd implements AsyncDisposable {
  readonly #clients: EventRouterClient[];
  readonly #last: number[];
  readonly #had: number[];
  #reached: { readonly count: number; resolve(): void; waiting: number } | undefined;
  /** What did not come in its place. */
  readonly wrong: string[] = [];

  private constructor(clients: EventRouterClient[]) {
    this.#clients = clients;
    this.#last = clients.map(() => 0);
    this.#had = clients.map(() => 0);
  }

  /** @param look sees each event of each subscriber. */
  static async join(url: string, size: number, topics = "**", look: (event: RouterEvent) => void = () => {}): Promise<Crowd> {
    const crowd = new Crowd(Array.from({ length: size }, () => new EventRouterClient({ url })));
    await Promise.all(crowd.#clients.map(async (client, i) => {
      const subscription = await client.subscribe(topics, { from: "start" }, (event) => {
        look(event);
        crowd.#got(i, event.seq);
      });
      subscription.onGap((gap) => crowd.wrong.push(`subscriber ${i} was told of a gap ${JSON.stringify(gap)}`));
    }));
    return crowd;
  }

  /** Resolves when everybody has had so many events. */
  async reaches(count: number): Promise<void> {
    const waiting = this.#had.filter((had) => had < count).length;
    if (waiting > 0) await new Promise<void>((resolve) => { this.#reached = { count, resolve, waiting }; });
  }

  #got(i: number, seq: number): void {
    if (seq <= this.#last[i]!) this.wrong.push(`subscriber ${i} got seq ${seq} after ${this.#last[i]}`);
    this.#last[i] = seq;
    if (++this.#had[i]! === this.#reached?.count && --this.#reached.waiting === 0) this.#reached.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

/** WebSockets whose bytes can be left unread. */
export function pausable(): { readonly WebSocket: new (url: string) => WebSocket; pause(): void; resume(): void } {
  const made = new Set<WebSocket>();
  return {
    WebSocket: class extends WebSocket {
      constructor(url: string) {
        super(url);
        made.add(this);
      }
    },
    pause: () => made.forEach((socket) => socket.pause()),
    resume: () => made.forEach((socket) => socket.resume()),
  };
}
