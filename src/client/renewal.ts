import { asError, AuthenticationError, fromWire } from "../core/errors.ts";
import type { RouterFrame, Welcome } from "../core/frames.ts";
import { Alarm } from "./alarm.ts";
import type { Connection, Part } from "./connection.ts";

/** A newer token is asked for a minute before the one in use runs out, or when three quarters of its time are over. */
const LEAD = 60_000;
/** ms: what is left below this is not worth another try; the router ends the session, and the client comes back with a new token. */
const SHORTEST = 500;

/**
 * Asks for a newer token before the one in use runs out, and shows it in the same session, so that no subscription notices. How long a token is good the
 * router tells, by its own clock: the token is never looked into. Loaded for clients whose token is a function.
 */
export class Renewal implements Part {
  readonly #connection: Connection;
  readonly #token: () => string | Promise<string>;
  readonly #report: (error: unknown) => void;
  readonly #alarm: Alarm;
  /** Until when the token in use is good, by this clock. */
  #until = Infinity;
  #unsent: string | undefined;
  #asked: number | undefined;

  constructor(connection: Connection, token: () => string | Promise<string>, report: (error: unknown) => void) {
    this.#connection = connection;
    this.#token = token;
    this.#report = report;
    this.#alarm = new Alarm(connection.clock, () => {
      void this.#renew();
      return Infinity;
    });
    // Before what takes every answer for its own.
    connection.parts.unshift(this);
    if (connection.welcome !== undefined) this.opened(connection.welcome);
  }

  opened({ expiresIn }: Pick<Welcome, "expiresIn">): void {
    this.#alarm.off();
    this.#until = expiresIn === undefined ? Infinity : this.#connection.clock.now() + expiresIn;
    this.#plan();
  }

  write(put: (frame: string) => void): void {
    if (this.#unsent === undefined) return;
    this.#asked = this.#connection.next();
    put(JSON.stringify(["auth", this.#asked, { type: "jwt", token: this.#unsent }]));
    this.#unsent = undefined;
  }

  receive(frame: RouterFrame): boolean {
    if (frame[0] === "rights") {
      this.opened(frame[1]);
      return true;
    }
    if ((frame[0] !== "ok" && frame[0] !== "err") || frame[1] !== this.#asked) return false;
    this.#asked = undefined;
    if (frame[0] === "err") this.#failed(fromWire(frame[2]));
    return true;
  }

  down(): void {
    this.#alarm.off();
    this.#unsent = this.#asked = undefined;
  }

  #plan(): void {
    const left = this.#until - this.#connection.clock.now();
    const wait = left - Math.min(LEAD, left / 4);
    if (wait >= SHORTEST && wait < Infinity) this.#alarm.set(this.#connection.clock.now() + wait);
  }

  async #renew(): Promise<void> {
    const { welcome } = this.#connection;
    try {
      const token = await this.#token();
      if (welcome === undefined || welcome !== this.#connection.welcome) return;
      this.#unsent = token;
      this.#connection.wake();
    } catch (thrown) {
      this.#failed(asError(thrown, (cause) => new AuthenticationError("ERR_TOKEN", "auth.token() failed; it is asked again while the last token is good", { cause, retryable: true })));
    }
  }

  #failed(error: unknown): void {
    this.#report(error);
    this.#plan();
  }
}
