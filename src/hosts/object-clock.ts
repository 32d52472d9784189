import type { Surroundings } from "../core/clock.ts";
import type { ObjectStorage } from "./durable-object.ts";
import { randomBytes } from "./surroundings.ts";

/** Deadlines as near as this, ms, are waited for awake: for so short a time an object is not put away anyway, and an alarm is a row written. */
const NEAR = 1_000;
/** Where a deadline is waited for awake and yet must not be lost: so long, ms, behind it there is an alarm too. */
const SAFETY = 2_000;
/** Deadlines up to this, ms, are mostly over before they come, as that of a hello or a request: they get an alarm only if they are still there a moment later. */
const FLEETING = 30_000;

/**
 * ms from a turn until what changed is written to the sockets; as long as there is a next turn then, as under load, up to so many. With a timer, and handlers that
 * wait for it, the object is not put away; when it ends in any other way its sockets end too, and what they carried is worth nothing. So a turn costs no writing.
 */
const REST = 20, LATEST_REST = 100;

export interface ObjectClockOptions {
  readonly storage: Pick<ObjectStorage, "getAlarm" | "setAlarm">;
  /** The router's. */
  tick(): number | null;
  /** Everything that a turn brought has been sent. */
  settled(): void;
  /** There were turns, and what they changed is to be written down before the object may be put away. */
  rested(): void;
  /** Whether something was written since the last call. */
  wrote(): boolean;
  /** Something keeps the object awake, and no more. */
  hold(): void;
  release(): void;
  onError(error: unknown): void;
}

/**
 * Time and turns of a Durable Object. When nothing is due within a second there is no timer, so that the object can hibernate; what is due later has one
 * alarm, which survives everything. A deadline that was stored gets its alarm with the write, also if it is near; and what an alarm could not do, as when
 * the storage fails, has another before that one is over.
 */
export class ObjectClock implements Surroundings {
  readonly #options: ObjectClockOptions;
  #waiting: (() => void)[] = [];
  #turn: Promise<void> | undefined;
  #rest: Promise<void> | undefined;
  /** For who waits until what the turn changes is written down. */
  #written: Promise<void> | undefined;
  /** When the router wants its tick. */
  #wanted: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #alarm: number | null = null;
  /** An alarm has come, and the platform forgets it: what is still to be done has no other. */
  #rung = false;

  constructor(options: ObjectClockOptions) {
    this.#options = options;
  }

  readonly now = Date.now;
  readonly randomBytes = randomBytes;

  /**
   * A turn of the loop and not a microtask: so the messages that came together, of all sockets, are one transaction, and leave in one message a session.
   * It is over at once, so it keeps nobody from hibernating.
   */
  readonly defer = (callback: () => void): void => {
    this.#waiting.push(callback);
    this.begin();
  };

  readonly wakeAt = (time: number | null): void => {
    this.#wanted = time;
    this.begin();
  };

  /** There is something to do: a turn is over soon. */
  begin(): void {
    if (this.#turn !== undefined) return;
    this.#options.hold();
    this.#turn = new Promise((resolve) => setTimeout(() => {
      this.#turn = this.#written = undefined;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const callback of waiting) this.#try(callback);
      // What they began with promises goes on in microtasks; a commit is one.
      queueMicrotask(() => {
        this.#plan();
        this.#options.settled();
        this.#beginRest();
        this.#options.release();
        resolve();
      });
    }, 0));
  }

  #beginRest(): void {
    if (this.#rest !== undefined) return;
    this.#options.hold();
    const latest = this.now() + LATEST_REST;
    this.#rest = new Promise((resolve) => {
      const wait = (): void => void setTimeout(() => {
        if (this.#turn !== undefined && this.now() + REST <= latest) return wait();
        this.#rest = undefined;
        this.#try(this.#options.rested);
        this.#options.release();
        resolve();
      }, REST);
      wait();
    });
  }

  /** Resolves when no turn is under way. */
  async turned(): Promise<void> {
    while (this.#turn !== undefined) await this.#turn;
  }

  /**
   * Resolves when the turn that is under way is over and what it changed is written down. One promise for all who come in a turn, and none of them waits for what comes
   * after: else under load every handler would wait for all that follow, and be asked again with each turn. What a turn has begun has a timer, so that the object
   * is not put away before that is done too.
   */
  settled(): Promise<void> | undefined {
    if (this.#turn === undefined) return this.#rest;
    return (this.#written ??= this.#turn.then(() => this.#rest));
  }

  /** The object has woken: which alarm it left. */
  async wake(): Promise<void> {
    this.#alarm = await this.#options.storage.getAlarm();
  }

  /** The alarm has come, perhaps once more than was asked for: what is due is done once, by whoever comes first. */
  rang(): void {
    this.#alarm = null;
    this.#rung = true;
    this.#tick();
  }

  #tick(): void {
    this.#ask();
    this.begin();
  }

  #ask(): void {
    this.#try(() => { this.#wanted = this.#options.tick(); });
  }

  #plan(): void {
    this.#off();
    const wrote = this.#options.wrote() || this.#rung;
    this.#rung = false;
    // What was settled meanwhile, as a hello, needs no alarm.
    if (this.#wanted !== null && wrote) this.#ask();
    if (this.#wanted === null) return;
    const left = this.#wanted - this.now();
    if (left <= NEAR) {
      this.#on(() => this.#tick(), Math.max(left, 0));
      // The object may end before.
      if (wrote) this.#setAlarm(this.now() + Math.max(left, 0) + SAFETY);
    } else if (this.#alarm !== null && this.#alarm <= alarmOf(this.#wanted)) return;
    else if (wrote || left > FLEETING) this.#setAlarm(this.#wanted);
    else this.#on(() => this.#stillWanted(), NEAR);
  }

  #on(callback: () => void, delay: number): void {
    this.#off();
    this.#options.hold();
    this.#timer = setTimeout(() => {
      this.#off();
      callback();
    }, delay);
  }

  #off(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#options.release();
  }

  #stillWanted(): void {
    this.#ask();
    if (this.#wanted !== null && this.#wanted - this.now() > NEAR) this.#setAlarm(this.#wanted);
    this.begin();
  }

  #setAlarm(time: number): void {
    const at = alarmOf(time);
    if (this.#alarm !== null && this.#alarm <= at) return;
    this.#alarm = at;
    this.#options.storage.setAlarm(at).catch((error: unknown) => {
      if (this.#alarm === at) this.#alarm = null;
      this.#options.onError(error);
      this.#on(() => this.#tick(), NEAR);
    });
  }

  /** Without a next tick the router would sleep for ever: a failure costs a second. */
  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#wanted = Math.min(this.#wanted ?? Infinity, this.now() + 1_000);
      this.#options.onError(error);
    }
  }
}

/** On the full second: deadlines that come together share an alarm. */
function alarmOf(time: number): number {
  return Math.ceil(time / 1_000) * 1_000;
}
