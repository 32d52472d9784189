import type { EventRouterClient } from "../src/index.ts";
import type { Traffic } from "./address.ts";

type Publish = (client: EventRouterClient, turn: number) => void;

/** What is published at each turn. */
const kinds: Readonly<Record<Exclude<Traffic, "none">, Publish>> = {
  // An order is placed, paid or declined, and shipped if it was paid.
  shop(client, turn) {
    const order = Math.floor(turn / 3) + 1;
    const total = (order * 37) % 400 + 5;
    const declined = order % 7 === 0;
    const story: readonly (readonly [type: string, payload: object, source: string, priority: number])[] = [
      ["order.placed", { orderId: order, total, currency: "CAD" }, "shop", 5],
      declined ? ["payment.declined", { orderId: order, reason: "the card has expired" }, "payments", 8] : ["payment.received", { orderId: order, total }, "payments", 5],
      declined ? ["order.cancelled", { orderId: order }, "shop", 6] : ["order.shipped", { orderId: order, carrier: order % 2 === 0 ? "canoe" : "bicycle" }, "warehouse", 4],
    ];
    const [type, payload, source, priority] = story[turn % 3]!;
    client.publishNowait(type, payload, { source, priority, correlationId: `order-${order}` });
  },
  sensors(client, turn) {
    const place = ["north", "east", "south", "west", "roof"][turn % 5]!;
    const celsius = Math.round(200 + 30 * Math.sin(turn / 40 + (turn % 5))) / 10;
    client.publishNowait(`sensor.${place}.reading`, { celsius }, { source: "greenhouse" });
    if (celsius > 22.9) client.publishNowait("alert.raised", { place, celsius, limit: 22.9 }, { source: "greenhouse", priority: 9 });
  },
};

const BEAT = 100;

/** Publishes so many events a second until it is stopped. What it cannot publish now, since there is no connection, it leaves out. */
export class TrafficPlayer {
  readonly #rate: () => number;
  readonly #client: () => EventRouterClient | undefined;
  readonly #watchers: (() => void)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #published = 0;

  constructor(rate: () => number, client: () => EventRouterClient | undefined) {
    this.#rate = rate;
    this.#client = client;
  }

  get playing(): boolean { return this.#timer !== undefined; }
  get published(): number { return this.#published; }

  /** Called when it begins, goes on and stops. */
  onChange(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  /** @throws Error if the page is not connected. */
  play(kind: Exclude<Traffic, "none">): void {
    if (this.#client() === undefined) throw new Error("not connected: press Connect at the top of the page");
    clearInterval(this.#timer);
    let due = 0;
    let turn = 0;
    this.#published = 0;
    this.#timer = setInterval(() => {
      const client = this.#client();
      if (client?.state !== "connected") return;
      due = Math.min(due + this.#rate() * BEAT / 1_000, this.#rate());
      for (; due >= 1; due--) kinds[kind](client, turn++);
      this.#published = turn;
      this.#tell();
    }, BEAT);
    this.#tell();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
