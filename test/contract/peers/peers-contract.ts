import { ALL, type Peers } from "../../../src/core/peers.ts";
import type { Log } from "../../../src/core/store.ts";
import { equal, failure, ok } from "../check.ts";
import { draft, singles } from "../store/drafts.ts";
import type { Suite } from "../suite.ts";

/** A log of its own for each test, and how to open it as another router would. */
export interface PeersUnderTest {
  open(): Promise<Log & { readonly peers: Peers }>;
  /** Lets a little time pass, in which messages may come and leases may run out. */
  turn(): Promise<void>;
  cleanup(): Promise<void>;
}

export type PeersFactory = () => Promise<PeersUnderTest>;

interface Heard { readonly from: string; readonly text: string }

/** ms of a lease that is not to run out in a test, and of one that is. */
const LONG = 600_000;
const SHORT = 50;

/** What must hold of whatever joins the routers of one log and lets them choose who leads. */
export function peersContract(suite: Suite, make: PeersFactory): void {
  const test = (name: string, run: (bench: PeersUnderTest & { until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> }) => Promise<void>): void => suite.test(name, async () => {
    const made = await make();
    const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
      for (let tries = 0; !await holds(); tries++) {
        if (tries > 2_000) throw new Error(`it never came that ${what}`);
        await made.turn();
      }
    };
    try {
      await run({ ...made, until });
    } finally {
      await made.cleanup();
    }
  });
  const listening = ({ peers }: { readonly peers: Peers }): Heard[] => {
    const heard: Heard[] = [];
    peers.listen({ message: (from, text) => void heard.push({ from, text }), gone: () => {} });
    return heard;
  };

  test("routers of one log have names of their own", async ({ open }) => {
    const names = [await open(), await open(), await open()].map(({ peers }) => peers.self);
    equal(new Set(names).size, 3);
    for (const name of names) ok(/^[\w-]{1,64}$/.test(name), `the name ${name} is of other characters`);
  });

  test("who claims first leads; whoever claims later is told of it; who claims again keeps its token", async ({ open }) => {
    const [a, b] = [await open(), await open()];
    listening(a);
    listening(b);
    const first = await a.peers.claim(LONG);
    equal([first.leader, first.token, first.head], [a.peers.self, 1, 0]);
    const other = await b.peers.claim(LONG);
    equal([other.leader, other.token], [a.peers.self, 1]);
    ok(other.ms > 0 && other.ms <= LONG, `the rest of the lease is ${other.ms} ms`);
    equal((await a.peers.claim(LONG)).token, 1);
  });

  test("of several that claim at once one leads", async ({ open }) => {
    const all = [await open(), await open(), await open(), await open()];
    const leads = await Promise.all(all.map(({ peers }) => peers.claim(LONG)));
    equal(new Set(leads.map(({ leader, token }) => `${leader} ${token}`)).size, 1);
  });

  test("a lead that is given back is taken at once, with a higher token; nobody else can give it back", async ({ open }) => {
    const [a, b] = [await open(), await open()];
    await a.peers.claim(LONG);
    await b.peers.release(1);
    await a.peers.release(7);
    equal((await b.peers.claim(LONG)).leader, a.peers.self);
    await a.peers.release(1);
    const next = await b.peers.claim(LONG);
    equal([next.leader, next.token], [b.peers.self, 2]);
    await a.peers.release(1);
    equal((await a.peers.claim(LONG)).leader, b.peers.self);
  });

  test("a lease that runs out is taken by another, or anew by who had it, with a higher token", async ({ open, until }) => {
    const [a, b] = [await open(), await open()];
    await a.peers.claim(SHORT);
    await until("the lease is over", async () => (await b.peers.claim(SHORT)).leader === b.peers.self);
    equal((await b.peers.claim(SHORT)).token >= 2, true);
    const { token } = await b.peers.claim(SHORT);
    await until("it is over again", async () => {
      const lead = await b.peers.claim(1);
      return lead.leader === b.peers.self && lead.token > token;
    });
  });

  test("a claim tells where the log ends", async ({ open }) => {
    const [a, b] = [await open(), await open()];
    await a.append([singles(draft("x"), draft("y"))]);
    equal((await b.peers.claim(LONG)).head, 2);
    equal((await a.peers.claim(LONG)).head, 2);
  });

  test("[P2] what carries an older token is refused and leaves no trace; the rest of the same append stands", async ({ open, until }) => {
    const [a, b] = [await open(), await open()];
    await a.peers.claim(LONG);
    await a.append([{ ...singles(draft("one")), lead: 1 }]);
    await a.writeBookmarks([["k", "of a"]], 1);
    await a.peers.release(1);
    await a.writeBookmarks([["k", "of a, still"]], 1);
    equal((await b.peers.claim(LONG)).token, 2);
    const outcomes = await a.append([singles(draft("two")), { ...singles(draft("three")), lead: 1 }, singles(draft("four"))]);
    equal(outcomes.map(([one]) => (one?.state === "refused" ? one.error.code : one?.state)), ["appended", "ERR_LEAD_LOST", "appended"]);
    for (const refused of [a.trim(1, 1), a.writeBookmarks([["k", "too late"], ["other", "too"]], 1)]) {
      const error = await failure(refused);
      equal([error.code, error.retryable], ["ERR_LEAD_LOST", true]);
    }
    await until("b has heard of all", () => b.head === 3);
    equal((await b.read(0, { events: 9, size: 9_999 })).map(({ id }) => id), ["one", "two", "four"]);
    equal([await b.readBookmark("k"), await b.readBookmark("other")], ["of a, still", undefined]);
    await b.writeBookmarks([["k", "of b"]], 2);
    equal(await a.readBookmark("k"), "of b");
    await b.trim(1, 2);
    await until("a knows what is gone", () => a.first === 2);
  });

  test("a message reaches whom it is for, in the order of sending, as it was", async ({ open, until }) => {
    const [a, b, c] = [await open(), await open(), await open()];
    const [atA, atB, atC] = [listening(a), listening(b), listening(c)];
    const texts = ["", "plain", "two\nlines", "\u0000😀\ud800ä", "x".repeat(1_500_000), ...Array.from({ length: 200 }, (_, i) => `n${i}`)];
    for (const text of texts) a.peers.send(b.peers.self, text);
    await until("all have come", () => atB.length === texts.length);
    equal(atB.map(({ text }) => text).every((text, i) => text === texts[i]), true, "texts");
    equal([...new Set(atB.map(({ from }) => from))], [a.peers.self]);
    b.peers.send(a.peers.self, "back");
    await until("the answer has come", () => atA.length === 1);
    equal([atA[0]!.from, atC.length], [b.peers.self, 0]);
  });

  test("what is said to all reaches all others, once, and a message to nobody harms none", async ({ open, until }) => {
    const [a, b, c] = [await open(), await open(), await open()];
    const [atA, atB, atC] = [listening(a), listening(b), listening(c)];
    a.peers.send("nobody", "?");
    a.peers.send(ALL, "all");
    b.peers.send(ALL, "again");
    await until("all have heard", () => atA.length === 1 && atB.length === 1 && atC.length === 2);
    equal([atA[0]!.text, atB[0]!.text, atC.map(({ text }) => text).sort()], ["again", "all", ["again", "all"]]);
  });
}
