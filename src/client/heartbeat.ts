import type { Clock } from "../core/clock.ts";
import { Alarm } from "./alarm.ts";

/** Notices that the other side has fallen silent: asks for a sign of life after one interval, gives up after another. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  #interval = 0;
  #heardAt = 0;
  #asked = false;

  constructor(clock: Clock, on: { ask(): void; dead(): void }) {
    this.#clock = clock;
    this.#alarm = new Alarm(clock, (now) => {
      if (this.#asked) {
        on.dead();
        return Infinity;
      }
      const due = this.#heardAt + this.#interval;
      if (now < due) return due;
      this.#asked = true;
      on.ask();
      return now + this.#interval;
    });
  }

  /** @param interval ms; 0: the link cannot fall silent. @param asked the other side owes an answer already. */
  start(interval: number, asked = false): void {
    this.stop();
    this.#interval = interval;
    this.heard();
    this.#asked = asked;
    if (interval > 0) this.#alarm.set(this.#heardAt + interval);
  }

  heard(): void {
    if (this.#interval === 0) return;
    this.#heardAt = this.#clock.now();
    this.#asked = false;
  }

  stop(): void {
    this.#alarm.off();
  }
}
