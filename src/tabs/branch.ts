import { asError, ConnectionError, SubscriptionError, toWire, ValidationError, type WireError } from "../core/errors.ts";
import { malformed } from "../core/frame-reader.ts";
import { PING, PONG, PROTOCOL_VERSION, type Credential, type Hello, type Welcome } from "../core/frames.ts";
import type { Outgoing, Port } from "../core/link.ts";
import { Output } from "../core/output.ts";
import { headOf, LineReader, type Head } from "./frame-text.ts";
import type { Tab } from "./tab.ts";
import type { Trunk } from "./trunk.ts";

/** What a branch needs of where it grows. */
export interface BranchHome {
  /** The trunk that goes where this hello wants to. */
  join(branch: Branch, hello: Hello): Trunk;
  left(branch: Branch): void;
  hasOutput(branch: Branch): void;
}

type State =
  | { readonly state: "greeting" }
  /** It has said hello; the router above has not answered yet. */
  | { readonly state: "waiting"; readonly trunk: Trunk }
  | { readonly state: "open"; readonly trunk: Trunk; readonly output: Output }
  | { readonly state: "closed" };

/** Windows of text that a tab may leave unread before its session is ended, so that a frozen one does not grow this memory. It comes back where it was. */
const SLOW = 8;

/** One tab's session: speaks the protocol with the tab's client, and passes on what it says under numbers of the trunk's. */
export class Branch implements Tab {
  readonly port: Port;
  /** Of the client, if it has said so: who comes back under the same one ends what is left of the earlier session. */
  instance: string | undefined;
  readonly #home: BranchHome;
  /** Subscriptions and responders, requests: the tab's number → the trunk's. */
  readonly #subscriptions = new Map<number, number>();
  readonly #requests = new Map<number, number>();
  /** Jobs of subscriptions that are taken back, whose handlers run on: by the tab's number, the trunk's and their tokens. */
  readonly #kept = new Map<number, { readonly up: number; readonly tokens: Set<number> }>();
  #state: State = { state: "greeting" };

  constructor(port: Port, home: BranchHome) {
    this.port = port;
    this.#home = home;
  }

  get state(): State["state"] { return this.#state.state; }

  /** A message from the tab. */
  receive(message: string): void {
    if (this.#state.state === "closed") return;
    if (message === PING) return this.port.send([{ text: PONG }]);
    try {
      if (this.#state.state === "open") this.#receive(message, this.#state.trunk, this.#state.output);
      else this.#greet(message);
    } catch (thrown) {
      this.end(toWire(asError(thrown, (cause) => malformed("not the protocol", cause))));
    }
  }

  /** The tab is gone. */
  disconnected(): void {
    if (this.#state.state !== "closed") this.#leave();
  }

  welcome(welcome: Welcome): void {
    if (this.#state.state !== "waiting") return;
    const { trunk } = this.#state;
    this.#state = { state: "open", trunk, output: new Output(welcome.limits.windowSize, () => this.#home.hasOutput(this)) };
    this.tell(JSON.stringify(["welcome", welcome]));
  }

  end(error: WireError): void {
    if (this.#state.state === "closed") return;
    const rest = this.#state.state === "open" ? this.#state.output.take() : [];
    this.port.send([...rest, { text: JSON.stringify(["bye", error]) }]);
    this.#leave();
    this.port.close(1000, error[1]);
  }

  tell(frame: string): void {
    if (this.#state.state === "open") this.#state.output.tell(frame);
  }

  deliver(frame: Outgoing, stored: boolean): void {
    if (this.#state.state === "open" && (stored || this.#state.output.fits(frame.text.length))) this.#state.output.deliver(frame);
  }

  /** Sends what is queued, and parts with a tab that has left too much unread. */
  flush(): void {
    if (this.#state.state !== "open") return;
    const { output, trunk } = this.#state;
    this.port.send(output.take());
    if (output.onWay > SLOW * trunk.windowSize) this.end(toWire(new ConnectionError("ERR_SLOW", "this tab does not read what it asked for; it connects again when it does", { retryable: true })));
  }

  forget(local: number): void { this.#subscriptions.delete(local); }
  answered(local: number): void { this.#requests.delete(local); }

  #greet(message: string): void {
    const [name, hello] = JSON.parse(message) as [unknown, Hello];
    if (this.#state.state !== "greeting" || name !== "hello" || typeof hello !== "object") throw malformed('a client says hello first, and waits for its welcome');
    if (hello.v !== PROTOCOL_VERSION) throw new ValidationError("ERR_PROTOCOL_VERSION", `the other tabs speak protocol version ${PROTOCOL_VERSION}, this one ${String(hello.v)}; reload them`);
    this.instance = hello.instance;
    const trunk = this.#home.join(this, hello);
    this.#state = { state: "waiting", trunk };
    trunk.join(this, hello.auth);
  }

  #receive(message: string, trunk: Trunk, output: Output): void {
    const lines = new LineReader(message);
    while (lines.more && this.#state.state === "open") {
      const line = lines.take(1)!;
      const head = headOf(line);
      switch (head?.name) {
        case "ack": this.#ack(line, trunk, output); break;
        case "pub": trunk.put(`["pub",${this.#ask(head, trunk)}${head.rest}\n${raw(lines, linesOf(head))}`); break;
        case "req": trunk.put(`["req",${this.#ask(head, trunk)}${head.rest}\n${raw(lines, 1)}`); break;
        case "call": trunk.put(`["call",${this.#ask(head, trunk)}${this.#aboutOurs(head.rest)}`); break;
        case "auth":
          trunk.renew((JSON.parse(line) as [string, number, Credential])[2]);
          trunk.put(`["auth",${this.#ask(head, trunk)}${head.rest}`);
          break;
        case "sub": this.#subscribe(head, trunk, undefined); break;
        case "serve": this.#subscribe(head, trunk, (JSON.parse(line) as [string, number, string[]])[2]); break;
        case "unsub": this.#unsubscribe(head, trunk); break;
        case "done": case "nack": this.#settle(head, trunk); break;
        case "cancel": this.#cancel(head, trunk); break;
        case "answer": this.#answer(trunk, head.id, `${line}\n${raw(lines, 1)}`); break;
        case "fail": this.#answer(trunk, head.id, line); break;
        case "bye": this.#leave(); this.port.close(1000, "bye"); break;
        default: throw malformed(`unknown frame ${line.slice(0, 32)}`);
      }
    }
  }

  #ack(line: string, trunk: Trunk, output: Output): void {
    const [, received, ...done] = JSON.parse(line) as [string, number, ...number[]];
    output.received(received);
    for (let i = 0; i < done.length; i += 2) {
      const id = this.#subscriptions.get(done[i]!);
      if (id !== undefined) trunk.ack(id, done[i + 1]!);
    }
  }

  /** The trunk's number for a question of the tab. */
  #ask({ id }: Head, trunk: Trunk): number {
    const req = trunk.ask(this, id);
    this.#requests.set(id, req);
    return req;
  }

  #subscribe({ name, id, rest }: Head, trunk: Trunk, patterns: readonly string[] | undefined): void {
    if (this.#subscriptions.has(id)) return this.tell(JSON.stringify(["end", id, toWire(new SubscriptionError("ERR_SUBSCRIPTION_ID", `this session has a subscription ${id} already; use another id`))]));
    const up = trunk.subscribe(this, id, patterns);
    this.#subscriptions.set(id, up);
    trunk.put(`["${name}",${up}${rest}`);
  }

  #unsubscribe({ id, rest }: Head, trunk: Trunk): void {
    const up = this.#subscriptions.get(id);
    if (up === undefined) return this.tell(`["end",${id}]`);
    const tokens = numbersIn(rest);
    if (tokens.length > 0) this.#kept.set(id, { up, tokens: new Set(tokens) });
    trunk.put(`["unsub",${up}${rest}`);
  }

  /** The one call that names a subscription gives up on an event of it. */
  #aboutOurs(rest: string): string {
    if (!rest.startsWith(',"dead",')) return rest;
    const [method, params] = JSON.parse(`[${rest.slice(1)}`) as [string, { readonly sub?: number }?];
    return `,${JSON.stringify([method, { ...params, sub: this.#subscriptions.get(params?.sub ?? -1) ?? Number.MAX_SAFE_INTEGER }]).slice(1)}`;
  }

  #settle({ name, id, rest }: Head, trunk: Trunk): void {
    const kept = this.#kept.get(id);
    const up = this.#subscriptions.get(id) ?? kept?.up;
    if (up !== undefined) trunk.put(`["${name}",${up}${rest}`);
    if (kept === undefined) return;
    for (const token of name === "nack" ? numbersIn(rest).slice(0, 1) : numbersIn(rest)) kept.tokens.delete(token);
    if (kept.tokens.size === 0) this.#kept.delete(id);
  }

  #cancel({ id }: Head, trunk: Trunk): void {
    const up = this.#requests.get(id);
    if (up === undefined) return;
    this.#requests.delete(id);
    trunk.cancel(up);
  }

  #answer(trunk: Trunk, ask: number, frame: string): void {
    if (trunk.answers(this, ask)) trunk.put(frame);
  }

  #leave(): void {
    const { state } = this;
    const trunk = "trunk" in this.#state ? this.#state.trunk : undefined;
    this.#state = { state: "closed" };
    for (const { up, tokens } of this.#kept.values()) for (const token of tokens) trunk?.put(`["nack",${up},${token},{"error":{"name":"ConnectionError","message":"the tab is gone"},"delay":0}]`);
    if (state !== "closed") trunk?.leave(this, this.#subscriptions.values(), this.#requests.values());
    this.#home.left(this);
  }
}

/** The numbers that come next in a frame. */
function numbersIn(rest: string): number[] {
  return (/^(?:,\d+)*/.exec(rest)?.[0] ?? "").split(",").slice(1).map(Number);
}

/** How many lines a `pub` announces. */
function linesOf({ rest }: Head): number {
  const count = Number(/^,(\d+)/.exec(rest)?.[1] ?? NaN);
  if (!(count > 0)) throw malformed("pub");
  return count;
}

function raw(lines: LineReader, count: number): string {
  const piece = lines.take(count);
  if (piece === undefined) throw malformed(`${count} lines announced`);
  return piece;
}
