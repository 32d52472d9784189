import { PONG, type ClientFrame, type Gap, type Hello, type PublishMode, type RouterFrame, type SubscribeSpec, type Welcome } from "../../src/core/frames.ts";
import type { WireError } from "../../src/core/errors.ts";
import type { EventLine } from "../../src/core/line.ts";
import type { Outgoing, Port } from "../../src/core/link.ts";
import type { Caller } from "../../src/core/policy.ts";
import type { Router } from "../../src/core/router.ts";
import type { Session } from "../../src/core/session.ts";

/** An event as a publisher writes it: `["id","type",payload]` or with meta. */
export function line(id: string, type: string, payload: unknown = null, meta?: unknown): string {
  return JSON.stringify(meta === undefined ? [id, type, payload] : [id, type, payload, meta]);
}

/** Speaks the frames of the protocol over a port of a router, and keeps all that comes. */
export class RawClient implements Port {
  session: Session;
  /** Everything that came, one by one. */
  readonly messages: Outgoing[] = [];
  readonly frames: RouterFrame[] = [];
  readonly pongs: string[] = [];
  /** UTF-16 units that came, heartbeats not counted: what an ack's `received` says. */
  received = 0;
  /** Calls of `send` by the router: one should be enough for what came together. */
  writes = 0;
  closed: { readonly code: number; readonly reason: string } | undefined;
  #lastReq = 0;

  constructor(router: Router, caller?: Caller) {
    this.session = router.connect(this, caller);
  }

  send(messages: readonly Outgoing[]): void {
    if (this.closed !== undefined) throw new Error("the router sends on a pipe that it has closed");
    this.writes++;
    for (const message of messages) {
      if (message.text === PONG) {
        this.pongs.push(message.text);
        continue;
      }
      this.messages.push(message);
      this.received += message.text.length;
      for (const frame of message.text.split("\n")) this.frames.push(JSON.parse(frame) as RouterFrame);
    }
  }

  close(code: number, reason: string): void {
    if (this.closed !== undefined) throw new Error("the router closes a pipe twice");
    this.closed = { code, reason };
  }

  /** Sends frames, and raw lines as they are, in one message. */
  say(...frames: readonly (ClientFrame | string)[]): void {
    this.session.receive(frames.map((frame) => (typeof frame === "string" ? frame : JSON.stringify(frame))).join("\n"));
  }

  hello(hello: Partial<Hello> = {}): void {
    this.say(["hello", { v: 1, ...hello }]);
  }

  publish(lines: readonly string[], mode?: PublishMode): number {
    const req = ++this.#lastReq;
    this.say(mode === undefined ? ["pub", req, lines.length] : ["pub", req, lines.length, mode], ...lines);
    return req;
  }

  subscribe(id: number, spec: SubscribeSpec | string): void {
    this.say(["sub", id, typeof spec === "string" ? { topics: [spec] } : spec]);
  }

  request(type: string, payload: unknown, timeout = 1_000, id = "r"): number {
    const req = ++this.#lastReq;
    this.say(["req", req, timeout], line(id, type, payload));
    return req;
  }

  call(method: string, params?: Record<string, unknown>): number {
    const req = ++this.#lastReq;
    this.say(params === undefined ? ["call", req, method] : ["call", req, method, params]);
    return req;
  }

  /** Says that all that came was received, and that subscriptions are done up to a seq. */
  ack(...done: number[]): void {
    this.say(["ack", this.received, ...done]);
  }

  /** Received and done: all. */
  ackAll(): void {
    const last = new Map<number, number>();
    for (const { subs, event } of this.deliveries) for (const id of subs) if (event[0] > 0) last.set(id, event[0]);
    this.ack(...[...last].flat());
  }

  named<N extends RouterFrame[0]>(name: N): Extract<RouterFrame, readonly [N, ...unknown[]]>[] {
    return this.frames.filter((frame) => frame[0] === name) as never;
  }

  get welcome(): Welcome | undefined { return this.named("welcome")[0]?.[1]; }
  get bye(): WireError | undefined { return this.named("bye")[0]?.[1]; }

  /** All events in the order they came, each with the subscriptions it is for. */
  get deliveries(): { readonly subs: readonly number[]; readonly event: EventLine }[] {
    return this.frames.flatMap((frame) =>
      frame[0] === "ev" ? frame[2].map((event) => ({ subs: frame[1], event }))
      : frame[0] === "mix" ? frame[2].map((event, i) => ({ subs: frame[1][i]!, event }))
      : []);
  }

  eventsOf(id: number): EventLine[] {
    return this.deliveries.filter(({ subs }) => subs.includes(id)).map(({ event }) => event);
  }

  seqsOf(id: number): number[] { return this.eventsOf(id).map(([seq]) => seq); }
  idsOf(id: number): string[] { return this.eventsOf(id).map((event) => event[3]); }
  gapsOf(id: number): Gap[] { return this.named("gap").filter((frame) => frame[1] === id).map((frame) => frame[2]); }
  endsOf(id: number): (WireError | undefined)[] { return this.named("end").filter((frame) => frame[1] === id).map((frame) => frame[2]); }

  /** The answer to a `pub`, `req` or `call`, without its number. */
  answerTo(req: number): readonly unknown[] | undefined {
    const frame = this.frames.find((one) => (one[0] === "pub" || one[0] === "ok" || one[0] === "err") && one[1] === req);
    return frame === undefined ? undefined : [frame[0], ...frame.slice(2)];
  }

  /** Results of a publish, in short: a seq, `[seq]` of a duplicate, an error's code; a refusal of the whole is its code. */
  resultsOf(req: number): unknown {
    const [name, ...rest] = this.answerTo(req) ?? [];
    if (name === "err") return (rest[0] as WireError)[1];
    return (rest[1] as readonly unknown[] | undefined)?.map((one) => (Array.isArray(one) && typeof one[0] === "string" ? one[1] as string : one));
  }

  /** The code of a refusal. */
  codeOf(req: number): string | undefined {
    const answer = this.answerTo(req);
    return answer?.[0] === "err" ? (answer[1] as WireError)[1] : undefined;
  }
}
