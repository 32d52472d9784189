import { expect, test } from "vitest";
import type { Port } from "../../src/core/link.ts";
import { Hub } from "../../src/tabs/hub.ts";
import type { TabSays } from "../../src/tabs/wire.ts";

/** A hub with a router of its own, of which only the ports of its sessions are known, and one tab's wire. */
function scene() {
  const ports: Port[] = [];
  const ended: number[] = [];
  const said: unknown[] = [];
  let say = (_said: TabSays): void => {};
  const hub = new Hub({
    multiplexer: { close: () => {} } as never, upstream: () => { throw new Error("there is none"); }, locks: undefined, lock: undefined,
    ownRouter: () => ({ connect: (port) => {
      const number = ports.push(port);
      return { receive: () => {}, disconnected: () => ended.push(number) };
    } }),
  });
  hub.attach({ post: (one) => said.push(one), listen: (listener) => { say = listener; }, close: () => said.push("closed") });
  return { hub, ports, ended, said, say: (one: TabSays) => say(one), open: (number: number) => say({ open: number, upstream: undefined, lock: undefined }) };
}

test("[P7] what a router says to a tab's earlier session, late, reaches nobody: numbers of the next session are others", () => {
  const { ports, ended, said, open } = scene();
  open(1);
  ports[0]!.send([{ text: "a" }]);
  open(2);
  ports[0]!.send([{ text: "late" }]);
  ports[0]!.close(1000, "late");
  ports[1]!.send([{ text: "b" }, { text: "c" }]);
  expect([ended, said]).toEqual([[1], [{ opened: 1, lock: undefined }, "a", { opened: 2, lock: undefined }, ["b", "c"]]]);
});

test("a session that its router ends is told by its number; a tab that leaves takes its session along, and a hub that goes sends tabs on", () => {
  const { hub, ports, ended, said, open } = scene();
  open(1);
  ports[0]!.close(1000, "ERR_SLOW");
  open(2);
  hub.close();
  expect([ended, said.filter((one) => typeof one === "object" && !("opened" in (one as object)))]).toEqual([[2], [{ closed: 1, reason: "ERR_SLOW" }, { gone: true }]]);
  const other = scene();
  other.open(1);
  other.say({ close: 1, leave: true });
  expect([other.ended, other.said.at(-1)]).toEqual([[1], "closed"]);
});
