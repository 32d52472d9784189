import { asError, EncryptionError, EventRouterError, fromWire, type WireError } from "../../core/errors.ts";
import type { RouterEvent } from "../../core/event.ts";
import type { SubscribeSpec } from "../../core/frames.ts";
import { lineOf } from "../encode-event.ts";
import type { Feed } from "../feed.ts";
import type { EncryptionOptions } from "./encryption-options.ts";
import { chooseEngine } from "./choose-engine.ts";
import type { Engine } from "./engine.ts";
import { payloadGate, type PayloadState } from "./gate.ts";
import { readHeader, splitJwe, type Binding } from "./jwe.ts";
import { keyring, type Keyring } from "./keyring.ts";
import { Opener } from "./opener.ts";
import { MOST_MESSAGES, SenderKey } from "./sender-key.ts";
import type { splitSpec } from "./split-filter.ts";
import type { VaultHome } from "./vault-home.ts";
import type { Outgoing, Vault } from "./vault.ts";

/** Characters of a failure's message: encrypted, they are still less than a router keeps of one. */
const MOST_REASON = 400;

/** Encrypts what a client publishes, asks and answers, and opens what it gets (P10). */
class PayloadVault implements Vault {
  readonly #home: VaultHome;
  readonly #keyring: Keyring;
  readonly #engine: Engine;
  readonly #opener: Opener;
  readonly #states = new WeakMap<RouterEvent, PayloadState>();
  #split: typeof splitSpec | undefined;
  #sender: SenderKey | undefined;
  #renewing: Promise<SenderKey> | undefined;
  /** What the router said last. */
  #namespace = "default";

  /** @param sender the first content key, if there is a key to wrap it */
  constructor(home: VaultHome, keys: Keyring, engine: Engine, sender: SenderKey | undefined) {
    this.#home = home;
    this.#keyring = keys;
    this.#engine = engine;
    this.#opener = new Opener(keys.keys, engine);
    this.#sender = sender;
  }

  /** Where this client's events are. What the application says counts, not what the router does: it could pass off another namespace's events. */
  get #place(): string { return this.#home.options.namespace ?? (this.#namespace = this.#home.connection.welcome?.namespace ?? this.#namespace); }

  seal(one: Outgoing, done: (error?: unknown) => void): boolean {
    if (one.sealed !== undefined || one.settled) return one.sealed ?? true;
    if (one.events.some(({ own }) => !own)) this.#recogniseRepeat(one);
    let waiting = 0;
    try {
      for (const event of one.events) {
        const { id, type, text } = event;
        const sealed = this.#sealFor(type, id, text.payload, undefined);
        if (typeof sealed === "string") event.line = lineOf(text, id, sealed);
        else {
          waiting++;
          sealed.then((payload) => {
            event.line = lineOf(text, id, payload);
            if (--waiting > 0) return;
            one.sealed = true;
            done();
          }, done);
        }
      }
    } catch (error) {
      done(error);
    }
    one.sealed = waiting === 0;
    return one.sealed;
  }

  async sealRequest(type: string, id: string, payload: string): Promise<string> {
    return this.#sealFor(type, id, payload, "request");
  }

  async openRequest(request: RouterEvent): Promise<boolean> {
    const sealed = await this.#open(request, { namespace: this.#place, type: request.type, id: request.id, kind: "request" });
    return sealed || this.#keyring.encrypts(request.type);
  }

  async sealAnswer({ type, id }: RouterEvent, kind: "answer" | "failure", payload: string): Promise<string> {
    return this.#seal(payload, { namespace: this.#place, type, id, kind });
  }

  async openAnswer(answer: RouterEvent, type: string, id: string): Promise<void> {
    const jwe = splitJwe(answer.payload);
    const kind = jwe !== undefined && readHeader(jwe.header)?.binding.kind === "failure" ? "failure" : "answer";
    const sealed = await this.#open(answer, { namespace: this.#place, type, id, kind }, this.#keyring.encrypts(type));
    if (sealed && kind === "failure") throw fromWire(answer.payload as WireError);
  }

  async openEvent(event: RouterEvent): Promise<void> {
    const state = this.#stateOf(event);
    if (state instanceof Promise) await state;
    const settled = this.#stateOf(event);
    if (settled instanceof EventRouterError) throw settled;
  }

  async sealReason(event: RouterEvent, reason: string): Promise<string> {
    const { type, id } = event;
    if (this.#states.get(event) !== true && !this.#keyring.encrypts(type)) return reason;
    if (this.#sender === undefined) return "hidden: the event is encrypted, and the client that failed has no key to encrypt the reason with";
    return JSON.parse(await this.#seal(JSON.stringify(reason.slice(0, MOST_REASON)), { namespace: this.#place, type, id, kind: "reason" })) as string;
  }

  async openReason({ type, id }: Pick<RouterEvent, "id" | "type">, reason: string): Promise<string> {
    const holder = { payload: reason, type } as RouterEvent;
    await this.#open(holder, { namespace: this.#place, type, id, kind: "reason" }, false);
    return String(holder.payload);
  }

  async prepareFilters(): Promise<void> {
    this.#split = (await import("./split-filter.ts")).splitSpec;
  }

  guard(feed: Feed): SubscribeSpec {
    const { spec, accepts } = feed.spec.filter === undefined ? { spec: feed.spec, accepts: undefined } : this.#split!(feed.spec);
    feed.gate ??= payloadGate(this.#home, (event) => this.#stateOf(event), feed, accepts);
    feed.conceal ??= (event, reason) => this.sealReason(event, reason);
    return spec;
  }

  #stateOf(event: RouterEvent): PayloadState {
    let state = this.#states.get(event);
    if (state === undefined) this.#states.set(event, (state = this.#begin(event)));
    return state;
  }

  #begin(event: RouterEvent): PayloadState {
    try {
      const opened = this.#open(event, { namespace: this.#place, type: event.type, id: event.id, kind: undefined });
      const settle = (state: PayloadState): void => void this.#states.set(event, state);
      return opened instanceof Promise ? opened.then(settle, settle) : opened;
    } catch (error) {
      return asError(error, (cause) => new EncryptionError("ERR_DECRYPT", "the payload could not be opened", { cause }));
    }
  }

  #recogniseRepeat(one: Outgoing): void {
    const reject = one.reject.bind(one);
    one.reject = (error) => {
      import("./repeat.ts").then(({ repeatOf }) => repeatOf(one, error, this.#home, (event) => this.openEvent(event)))
        .then((receipts) => (receipts === undefined ? reject(error) : one.resolve?.(receipts)), () => reject(error));
    };
  }

  /** A payload as it travels: encrypted, if its type asks for it. */
  #sealFor(type: string, id: string, payload: string, kind: Binding["kind"]): string | Promise<string> {
    return this.#keyring.encrypts(type) ? this.#seal(payload, { namespace: this.#place, type, id, kind }) : payload;
  }

  #seal(payload: string, binding: Binding): string | Promise<string> {
    const sender = this.#sender;
    if (sender === undefined) throw new EncryptionError("ERR_KEY_REQUIRED", `"${binding.type}" must be encrypted, and this client has no key to do it with; give it encryption.key, or encryption.keys and activeKey`, { details: { type: binding.type } });
    if (sender.spent) return this.#renew(sender).then(() => this.#seal(payload, binding));
    return sender.encrypt(payload, binding);
  }

  /** Long before the nonces of a content key wear out another takes its place. */
  #renew(spent: SenderKey): Promise<SenderKey> {
    if (this.#sender !== spent) return Promise.resolve(this.#sender!);
    return (this.#renewing ??= makeSender(this.#keyring, this.#engine, this.#home).then((made) => (this.#sender = made!)).finally(() => (this.#renewing = undefined)));
  }

  /** Puts a payload in place; says whether it came encrypted. @param required whether it must @throws EncryptionError */
  #open(event: RouterEvent, expected: Binding, required = this.#keyring.requires(event.type)): boolean | Promise<boolean> {
    const text = this.#opener.open(event.payload, expected);
    if (text === undefined && required) throw inTheClear(`"${event.type}" ${event.id}`);
    if (text === undefined) return false;
    const place = (json: string): true => {
      // Made by `decodeLine` for this client alone, and not handed out yet.
      (event as { payload: unknown }).payload = parse(json);
      return true;
    };
    return typeof text === "string" ? place(text) : text.then(place);
  }
}

/** @throws ValidationError, EncryptionError for options that make no sense, or whose code cannot be loaded */
export async function openVault(options: EncryptionOptions, home: VaultHome): Promise<Vault> {
  const [keys, engine] = await Promise.all([keyring(options), home.engine ?? chooseEngine()]);
  return new PayloadVault(home, keys, engine, await makeSender(keys, engine, home));
}

async function makeSender({ active }: Keyring, engine: Engine, { randomBytes, mostMessages = MOST_MESSAGES }: VaultHome): Promise<SenderKey | undefined> {
  return active && SenderKey.make(active.kid, active.key, engine, randomBytes, mostMessages);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its message would quote what was secret.
    throw new EncryptionError("ERR_DECRYPT", "what was encrypted is no JSON; its publisher must encrypt the JSON of the payload");
  }
}

function inTheClear(what: string): EncryptionError {
  return new EncryptionError("ERR_NOT_ENCRYPTED", `${what} came in the clear, and must not; publish it from a client with encryption, or take its type out of encryption.required`);
}
