import { describe, expect, test } from "vitest";
import { PING } from "../../src/core/frames.ts";
import { Multiplexer } from "../../src/tabs/multiplexer.ts";
import { leaderCarrier } from "../../src/tabs/leader-carrier.ts";
import { tabLink, type CarrierListener } from "../../src/tabs/tab-link.ts";
import type { HubSays, Locks, TabSays, Wire } from "../../src/tabs/wire.ts";
import { ScriptedRouter } from "../client/scripted-router.ts";
import { RawClient } from "../support/raw-client.ts";
import { settle, TestClock } from "../support/test-clock.ts";

const HOUR = 3_600_000;

describe("[I13] a clock that is set back by an hour", () => {
  test("does not keep the connection that tabs share for an hour when it is dead", async () => {
    const router = new ScriptedRouter();
    const { clock } = router;
    router.welcome = { ...router.welcome, heartbeat: 1_000 };
    const multiplexer = new Multiplexer({ clock, random: () => 0.5, randomBytes: (count) => new Uint8Array(count), defer: (callback) => void setImmediate(callback) });
    const tab = new RawClient({ connect: (port: RawClient) => multiplexer.connect(port, { key: "router", makeLink: router.makeLink }) } as never);
    tab.hello();
    for (let turns = 0; tab.welcome === undefined && turns < 10; turns++) await settle();
    expect(tab.welcome).toBeDefined();
    clock.set(clock.now() - HOUR);
    await clock.advance(8_000);
    expect(router.messages).toContain(PING);
    expect([router.restarts.length, tab.bye?.[3]]).toEqual([1, 1]);
  });

  test("does not keep a tab for an hour from a hub that takes over", async () => {
    const clock = new TestClock();
    const said: TabSays[] = [];
    let on: CarrierListener | undefined;
    let say = (_said: HubSays): void => {};
    const wire: Wire = { post: (one) => said.push(one as TabSays), listen: (listener) => { say = listener; }, close: () => {} };
    const carrier = { start: (listener: CarrierListener) => { on = listener; }, again: () => {}, close: () => {} };
    const link = tabLink({ carrier, upstream: undefined, clock, locks: undefined, lock: "tab" });
    link.start({ open: () => {}, message: () => {}, down: () => {} });
    on!.hub(wire);
    say({ opened: 1, lock: undefined });
    say({ closed: 1, reason: "ERR_SLOW" });
    clock.set(clock.now() - HOUR);
    await clock.advance(1_000);
    on!.hub(wire);
    expect(said.map((one) => typeof one === "object" && "open" in one && one.open)).toEqual([1, 2, 3]);
  });

  test("does not keep a tab for an hour with a leader that is asleep", async () => {
    const clock = new TestClock();
    const asked: boolean[] = [];
    // Another tab has the lock.
    const locks: Locks = { request: (_name, { steal = false }) => { asked.push(steal); return new Promise(() => {}); } };
    const channels = new Map<string, { onmessage: ((event: MessageEvent) => void) | null }>();
    const channel = (name: string) => {
      const own = { postMessage: () => {}, onmessage: null, close: () => {} };
      channels.set(name, own);
      return own;
    };
    const carrier = leaderCarrier({
      scope: "s", locks, channel, clock, random: () => 0.5, randomText: () => "me", visible: () => true, page: new EventTarget(),
      makeHub: () => { throw new Error("this tab does not lead"); },
    });
    let hubs = 0;
    carrier.start({ hub: (wire) => { hubs++; wire.listen(() => {}); }, lost: () => {} });
    channels.get("s:me")!.onmessage!({ data: { attached: true, secret: "s" } } as MessageEvent);
    expect([hubs, asked]).toEqual([1, [false]]);
    clock.set(clock.now() - HOUR);
    await clock.advance(8_000);
    expect(asked).toEqual([false, true]);
  });
});
