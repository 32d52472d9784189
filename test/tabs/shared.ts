import type { Link, LinkListener } from "../../src/core/link.ts";
import type { Router } from "../../src/core/router.ts";
import { ConnectionError } from "../../src/core/errors.ts";
import type { Hello } from "../../src/core/frames.ts";
import { inProcessLink } from "../../src/links/in-process.ts";
import { Multiplexer } from "../../src/tabs/multiplexer.ts";
import { RawClient } from "../support/raw-client.ts";
import { TestClock } from "../support/test-clock.ts";
import { World, type WorldOptions } from "../support/world.ts";

/** Tabs that share a connection to a router, in a world that stands still. */
export class SharedWorld extends World {
  readonly clock = new TestClock();
  /** What the multiplexer has sent to the router, message by message. */
  readonly sent: string[] = [];
  /** Whether the router can be reached. */
  reachable = true;
  links = 0;
  readonly multiplexer = new Multiplexer({ clock: this.clock, random: () => 0.5, randomBytes: this.around.randomBytes, defer: this.around.defer });
  readonly #pipes: { cut(): void; mend(): void }[] = [];

  constructor(options: WorldOptions = {}) {
    super(options);
  }

  readonly #makeLink = (): Link => {
    this.links++;
    const link = inProcessLink(this.router);
    let on: LinkListener;
    let open = false;
    // Opens only while the router can be reached.
    const gate: LinkListener = {
      open: () => {
        open = this.reachable;
        if (open) on.open();
      },
      message: (message) => { if (open) on.message(message); },
      down: (error, final) => { if (open) on.down(error, final); },
    };
    this.#pipes.push({
      cut() {
        open = false;
        on.down(new ConnectionError("ERR_CONNECTION_LOST", "cut by the test", { retryable: true }), false);
      },
      mend: () => link.restart(0),
    });
    return {
      start(listener) {
        on = listener;
        link.start(gate);
      },
      send: (message) => {
        this.sent.push(message);
        if (open) link.send(message);
      },
      restart: (delay) => link.restart(delay),
      close: () => link.close(),
    };
  };

  /** A tab; not yet greeted. */
  tab(upstream = "router"): RawClient {
    const port = { connect: (one: RawClient) => this.multiplexer.connect(one, { key: upstream, makeLink: this.#makeLink }) };
    return new RawClient(port as unknown as Router);
  }

  /** A tab that has said hello. */
  async greeted(hello: Partial<Hello> = {}): Promise<RawClient> {
    const tab = this.tab();
    tab.hello(hello);
    await this.settle();
    return tab;
  }

  /** The network goes. */
  cut(): void {
    this.reachable = false;
    for (const pipe of this.#pipes) pipe.cut();
  }

  /** It is back. */
  async mend(): Promise<void> {
    this.reachable = true;
    for (const pipe of this.#pipes) pipe.mend();
    await new Promise((resolve) => setTimeout(resolve, 0));
    await this.settle();
  }
}
