import { expect, test } from "vitest";
import { LEASE, Leadership } from "../../src/core/company/leadership.ts";
import type { Peers } from "../../src/core/peers.ts";

/** A store that gives one lease at a time, by tokens that grow. */
function storeOfOne(): { readonly peers: Peers; expire(): void; releases: Promise<void> } {
  let held: number | undefined;
  let last = 0;
  const store = {
    releases: Promise.resolve(),
    expire(): void { held = undefined; },
    peers: {
      self: "a", beat: 1_000, send: () => {}, listen: () => () => {},
      claim: async () => ({ leader: "a", token: (held ??= ++last), ms: LEASE, head: 0 }),
      release: async (token: number) => {
        await store.releases;
        if (held === token) held = undefined;
      },
    } satisfies Peers,
  };
  return store;
}

test("[P2] a router that lets go of its lead while a claim is under way gives it back, and leads again", async () => {
  let elapsed = 0;
  const store = storeOfOne();
  const leadership = new Leadership({ peers: store.peers, elapsed: () => elapsed, begin: async () => {}, lost: () => {}, changed: () => {}, wakeIn: () => {}, failed: (error) => { throw error; } });
  await leadership.claim();
  // The store takes its lease for over, and gives it another: the first one is to be given back.
  store.expire();
  await leadership.claim();
  expect(leadership.token).toBe(2);

  const released = Promise.withResolvers<void>();
  store.releases = released.promise;
  const claiming = leadership.claim();
  // Its clock is set forward meanwhile.
  elapsed += LEASE;
  expect(leadership.holds()).toBe(false);
  released.resolve();
  await claiming;
  for (let i = 0; i < 2 && !leadership.holds(); i++) await leadership.claim();
  expect(leadership.holds()).toBe(true);
  expect(leadership.token).toBe(3);
});
