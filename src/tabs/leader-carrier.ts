import { steadyClock, type Clock } from "../core/clock.ts";
import { ConnectionError } from "../core/errors.ts";
import type { Carrier, CarrierListener } from "./tab-link.ts";
import { portWire, type HubSays, type Locks, type Wire } from "./wire.ts";

/** What is used of a BroadcastChannel. */
export interface ChannelLike {
  postMessage(data: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** What is said on the channel that all tabs hear. */
type Call =
  /** A tab looks for the leader; it waits on a channel of this name. */
  | { readonly join: string }
  /** A tab leads from now on. */
  | { readonly leader: string };

export interface LeaderCarrierOptions {
  /** Names the channels and the lock of the tabs that belong together. */
  readonly scope: string;
  readonly locks: Locks;
  channel(name: string): ChannelLike;
  readonly clock: Clock;
  random(): number;
  randomText(): string;
  /** Whether somebody looks at this tab: then the leader is asked often for a sign of life. */
  visible(): boolean;
  /** Tells `pagehide` and `pageshow`. */
  readonly page: Pick<EventTarget, "addEventListener" | "removeEventListener">;
  /** The hub that this tab is for all when it leads. */
  makeHub(secret: string): LeaderHub;
}

interface LeaderHub { attach(wire: Wire): void; close(): void }

/** A leader that was silent for so long, ms, is asked for a sign of life … */
const SILENCE = 400;
/** … and replaced when none comes within so long. A page that is busy as long loses the lead and nothing else. */
const PATIENCE = 900;
/** How often a tab looks, ms, and how often one that nobody sees. */
const LOOK = 200, HIDDEN = 5_000;
/** Tabs that find the leader asleep do not all replace it at once, ms. */
const JITTER = 100;

type Role =
  | { readonly role: "follower"; readonly wire: Wire; attached: boolean }
  /** `known`: the names under which tabs have joined. */
  | { readonly role: "leader"; readonly hub: LeaderHub; readonly known: Set<string> }
  | { readonly role: "gone" };

/**
 * Reaches the hub where there is no SharedWorker: the tab that holds a lock is it. When that tab is closed or crashes, the browser gives the lock to the next.
 * A frozen one keeps it: then it is stolen, and the old leader, which learns of that when it thaws, sends away whom it still serves and follows.
 */
export function leaderCarrier(options: LeaderCarrierOptions): Carrier {
  const { scope, locks } = options;
  const clock = steadyClock(options.clock);
  const all = options.channel(scope);
  let listener: CarrierListener;
  let role: Role = { role: "gone" };
  let closed = false;
  let name = "";
  let secret = options.randomText();
  let campaign = new AbortController();
  let resign = (): void => {};
  let callOff = (): void => {};
  let heard = 0;
  let asked: number | undefined;

  const lead = (): Promise<void> => new Promise((release) => {
    if (closed) return release();
    leaveWire();
    const hub = options.makeHub(secret);
    role = { role: "leader", hub, known: new Set() };
    resign = release;
    all.postMessage({ leader: name } satisfies Call);
    const { port1, port2 } = new MessageChannel();
    hub.attach(portWire(port2));
    listener.hub(portWire(port1));
  });

  const stand = (steal: boolean): void => {
    campaign.abort();
    const own = (campaign = new AbortController());
    const options = steal ? { steal } : { signal: own.signal };
    locks.request(`${scope}:leader`, options, lead).then(() => {}, () => {
      // Called off, or the lock was stolen from this tab.
      if (own === campaign && !closed) deposed();
    });
  };

  const deposed = (): void => {
    if (role.role === "leader") {
      role.hub.close();
      listener.lost(moved(), false);
    }
    join();
    stand(false);
  };

  /** Looks for the leader until there is one. */
  const join = (): void => {
    if (closed) return;
    leaveWire();
    name = options.randomText();
    const wire = portWire(options.channel(`${scope}:${name}`));
    role = { role: "follower", wire, attached: false };
    asked = undefined;
    heard = clock.now();
    wire.listen((said) => { if (isCurrent(wire)) attached(wire, said as HubSays); });
    all.postMessage({ join: name } satisfies Call);
    watch(wire);
  };

  /** The first word of the leader: from then on it is the hub's wire. */
  const attached = (wire: Wire, said: HubSays): void => {
    if (typeof said !== "object" || !("attached" in said)) return;
    if (role.role === "follower") role.attached = true;
    ({ secret } = said);
    signOfLife();
    listener.hub({
      post: (text) => wire.post(text),
      close: () => wire.close(),
      listen: (hear) => wire.listen((text) => {
        if (!isCurrent(wire)) return;
        signOfLife();
        if (typeof text === "object" && text !== null && "gone" in text) {
          listener.lost(moved(), false);
          join();
        } else hear(text);
      }),
    });
  };

  /** A tab follows this one. It asks again when it has heard nothing, so it may be here already. */
  const welcome = ({ hub, known }: Extract<Role, { role: "leader" }>, name: string): void => {
    const wire = portWire(options.channel(`${scope}:${name}`));
    wire.post({ attached: true, secret });
    if (known.has(name)) return wire.close();
    known.add(name);
    hub.attach(wire);
  };

  const signOfLife = (): void => {
    heard = clock.now();
    asked = undefined;
  };

  /** Looks from time to time whether the leader lives. */
  const watch = (wire: Wire): void => {
    callOff();
    const wait = options.visible() ? LOOK : HIDDEN;
    const planned = clock.now() + wait;
    callOff = clock.after(wait, () => {
      if (!isCurrent(wire)) return;
      const now = clock.now();
      // Who was asleep itself has not heard what was said meanwhile.
      if (now - planned > SILENCE) asked = undefined;
      if (asked !== undefined && now - asked >= PATIENCE) return stealSoon(wire);
      if (now - heard >= SILENCE && asked === undefined) {
        asked = now;
        wire.post({ ping: true });
      }
      if (role.role === "follower" && !role.attached) all.postMessage({ join: name } satisfies Call);
      watch(wire);
    });
  };

  /** Not all at once: one that was faster says so. */
  const stealSoon = (wire: Wire): void => {
    callOff = clock.after(options.random() * JITTER, () => { if (isCurrent(wire) && asked !== undefined) stand(true); });
  };

  /** The page goes. Not every browser frees the locks of a closed page at once, and one that is kept for the back button is as good as gone. */
  const hide = (): void => {
    if (role.role !== "leader") return;
    role.hub.close();
    role = { role: "gone" };
    listener.lost(moved(), false);
    resign();
  };

  /** It is back. */
  const show = (): void => {
    if (closed || role.role !== "gone") return;
    join();
    stand(false);
  };

  const isCurrent = (wire: Wire): boolean => role.role === "follower" && role.wire === wire;

  const leaveWire = (): void => {
    callOff();
    if (role.role !== "follower") return;
    role.wire.post({ close: 0, leave: true });
    role.wire.close();
  };

  return {
    start(on) {
      listener = on;
      all.onmessage = ({ data }) => {
        const call = data as Call;
        if ("join" in call) {
          if (role.role === "leader") welcome(role, call.join);
        } else if (role.role === "follower") {
          listener.lost(moved(), false);
          join();
        }
      };
      options.page.addEventListener("pagehide", hide);
      options.page.addEventListener("pageshow", show);
      show();
    },
    again() {
      if (role.role === "follower") join();
    },
    close() {
      const was = role;
      closed = true;
      leaveWire();
      role = { role: "gone" };
      campaign.abort();
      if (was.role === "leader") was.hub.close();
      resign();
      all.close();
      options.page.removeEventListener("pagehide", hide);
      options.page.removeEventListener("pageshow", show);
    },
  };
}

function moved(): ConnectionError {
  return new ConnectionError("ERR_CONNECTION_LOST", "the tab that had the connection is gone or asleep; another takes over", { retryable: true });
}
