import type { Clock } from "../../src/core/clock.ts";
import type { Timeline } from "./timeline.ts";

/** What time it is when a simulation begins. */
const START = Date.UTC(2026, 0, 1);

/** One life of a process, for the code that runs in it: what it plans dies with it, also what it plans while it is dying. */
export interface Incarnation extends Clock {
  readonly alive: boolean;
  /** Runs a task after `ms`; no timer that counts as a leak. */
  post(ms: number, task: () => void): () => void;
}

/** A process of the simulated world: it has a clock of its own, may stand still for a while, and may die with all that it had planned. */
export class Process {
  readonly name: string;
  /** ms by which its clock is wrong. */
  skew = 0;
  /** Timers that are set and not called off: those that outlive their owner are leaks. */
  planned = 0;
  readonly #timeline: Timeline;
  #life = 0;
  #pausedSince = 0;
  #pausedUntil = 0;
  #waiting: (() => void)[] = [];

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
  }

  /** Which life it is in: what was begun in an earlier one is void. */
  get life(): number { return this.#life; }

  get paused(): boolean { return this.#timeline.now < this.#pausedUntil; }

  readonly now = (): number => START + Math.floor(this.#timeline.now) + this.skew;
  /** Time that no clock tells: ms since the simulation began. */
  readonly clockless = (): number => this.#timeline.now;

  /** When this process can know of what happens in the world at `time`: once it runs again. */
  hearsOf(time: number): number {
    return time >= this.#pausedSince && time < this.#pausedUntil ? this.#pausedUntil : time;
  }

  /** Runs a task in this process after `ms`, unless it has died by then. While the process stands still, what is due waits, in order. */
  post(ms: number, task: () => void): () => void {
    return this.#post(this.#life, ms, task);
  }

  /** The same at a time of the simulation. */
  postAt(time: number, task: () => void): () => void {
    const life = this.#life;
    return this.#timeline.at(time, () => this.#enter(life, task));
  }

  incarnation(): Incarnation {
    const life = this.#life;
    const alive = (): boolean => life === this.#life;
    const post = (ms: number, task: () => void): (() => void) => this.#post(life, ms, task);
    return {
      get alive() { return alive(); },
      now: this.now,
      post,
      after: (ms, callback) => {
        if (!alive()) return () => {};
        let planned = true;
        this.planned++;
        const over = (): boolean => {
          if (!planned || !alive()) return false;
          planned = false;
          this.planned--;
          return true;
        };
        const callOff = post(ms, () => { if (over()) callback(); });
        return () => {
          over();
          callOff();
        };
      },
    };
  }

  pause(ms: number): void {
    const end = this.#timeline.now + ms;
    if (end <= this.#pausedUntil) return;
    if (this.#timeline.now >= this.#pausedUntil) this.#pausedSince = this.#timeline.now;
    this.#pausedUntil = end;
    this.#timeline.after(ms, () => this.#resume());
  }

  /** It goes on at once. */
  heal(): void {
    this.#pausedUntil = Math.min(this.#pausedUntil, this.#timeline.now);
    this.#resume();
  }

  kill(): void {
    this.#life++;
    this.#waiting = [];
    this.#pausedUntil = 0;
    this.planned = 0;
  }

  #post(life: number, ms: number, task: () => void): () => void {
    return this.#timeline.after(ms, () => this.#enter(life, task));
  }

  #enter(life: number, task: () => void): void {
    if (life !== this.#life) return;
    if (this.#timeline.now < this.#pausedUntil) this.#waiting.push(() => this.#enter(life, task));
    else task();
  }

  #resume(): void {
    if (this.#timeline.now < this.#pausedUntil) return;
    for (const task of this.#waiting.splice(0)) this.#timeline.after(0, task);
  }
}
