import type { Outgoing } from "./link.ts";

/** UTF-16 units of a session's own frames in one message: enough to make its cost disappear, and far below what a peer's WebSocket may refuse. */
const MESSAGE = 64 * 1024;

/**
 * What is about to be sent to a session, and how much was sent that has not been received: that is what bounds a router's memory per connection (P11).
 * Whether handlers have finished is each cursor's own window, so that one slow handler holds up no other subscription.
 */
export class Output {
  readonly #maxSize: number;
  readonly #hasOutput: (output: Output) => void;
  #frames: (string | Outgoing)[] = [];
  #queued = 0;
  #sent = 0;
  #received = 0;

  /** @param hasOutput told of the first frame after each `take`: one function for all outputs, which are many */
  constructor(maxSize: number, hasOutput: (output: Output) => void) {
    this.#maxSize = maxSize;
    this.#hasOutput = hasOutput;
  }

  /** Queues a frame of the session's own. */
  tell(frame: string): void {
    this.#queued += frame.length;
    if (this.#frames.push(frame) === 1) this.#hasOutput(this);
  }

  /** Queues a frame that other sessions get as well; the caller has asked `fits`. */
  deliver(frame: Outgoing): void {
    this.#queued += frame.text.length;
    if (this.#frames.push(frame) === 1) this.#hasOutput(this);
  }

  /** Whether nothing is queued, so that this may be sent at once; it is counted as sent then. */
  overtakes(frame: Outgoing): boolean {
    if (this.#frames.length > 0) return false;
    this.#sent += frame.text.length;
    return true;
  }

  /** Whether a frame of this size may be on its way too; one always may. */
  fits(size: number): boolean {
    const { onWay } = this;
    return onWay === 0 || onWay + size <= this.#maxSize;
  }

  /** What was queued or sent and has not been received, UTF-16 units. */
  get onWay(): number { return this.#queued + this.#sent - this.#received; }
  /** What may still be sent. */
  get room(): number { return this.#maxSize - this.onWay; }

  /** The peer has received so much in all on this link; nonsense is ignored. */
  received(total: number): void {
    if (total > this.#received && total <= this.#sent) this.#received = total;
  }

  /** UTF-16 units sent and received so far. Queued frames are neither: they are sent before a router sleeps. */
  get flow(): readonly [sent: number, received: number] { return [this.#sent, this.#received]; }
  /** Goes on with the counts of before. */
  resume([sent, received]: readonly [sent: number, received: number]): void {
    this.#sent = sent;
    this.#received = received;
  }

  /** Takes what is queued: neighbouring frames of its own become one message. */
  take(): readonly Outgoing[] {
    const frames = this.#frames;
    const messages = frames.every((frame) => typeof frame !== "string") ? frames : joined(frames);
    this.#frames = [];
    this.#queued = 0;
    for (const { text } of messages) this.#sent += text.length;
    return messages;
  }
}

function joined(frames: readonly (string | Outgoing)[]): Outgoing[] {
  const messages: Outgoing[] = [];
  let own = "";
  const end = (): void => {
    if (own !== "") messages.push({ text: own });
    own = "";
  };
  for (const frame of frames) {
    if (typeof frame !== "string") {
      end();
      messages.push(frame);
      continue;
    }
    if (own.length + frame.length > MESSAGE) end();
    own = own === "" ? frame : `${own}\n${frame}`;
  }
  end();
  return messages;
}
