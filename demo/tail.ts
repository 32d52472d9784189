import type { EventRouterClient, RouterEvent } from "../src/index.ts";
import type { Activity } from "./activity.ts";
import { find, setText } from "./dom.ts";
import { EventList, LIMIT } from "./event-list.ts";
import { setUpFilterBuilder } from "./filter-builder.ts";
import { setUpFilterBar, type TailQuery } from "./filter-bar.ts";
import { count } from "./format.ts";
import { showFrames } from "./frame-budget.ts";
import { Seen } from "./seen.ts";
import type { RouterSession } from "./session.ts";

/** The live tail: one subscription at a time, which is replaced only when the router has accepted the next. @returns what it follows. */
export function setUpTail(session: RouterSession, activity: Activity): () => TailQuery {
  const total = find("tail-total", HTMLElement);
  const pause = find("pause", HTMLButtonElement);
  const pauseText = find("pause-text", HTMLElement);
  const empty = find("tail-empty", HTMLElement);
  const emptyTitle = find("tail-empty-title", HTMLElement);
  const emptyHint = find("tail-empty-hint", HTMLElement);
  const newer = find("newer", HTMLButtonElement);
  const rows = find("rows", HTMLElement);
  const search = find("search", HTMLInputElement);
  let shown = "**";
  let following: TailQuery = { topics: ["**"], filter: undefined, from: "now" };
  /** Ends the subscription on show, and the one that is not accepted yet. */
  let leave = (): void => {};
  let abandon = (): void => {};

  const seen = new Seen();
  const kept = find("tail-kept", HTMLElement);
  const list = new EventList(rows, find("row-list", HTMLOListElement), () => {
    setText(kept, `${count(list.kept)} of at most ${count(LIMIT)} kept · ${count(list.drawn)} drawn`);
    setText(total, list.total === 1 ? "1 event" : `${count(list.total)} events`);
    pause.setAttribute("aria-pressed", String(list.paused));
    setText(pauseText, !list.paused ? "Pause" : list.held === 0 ? "Resume" : `Resume · ${count(list.held)} new`);
    newer.hidden = list.above === 0;
    setText(newer, `↑ ${count(list.above)} newer`);
    empty.hidden = list.shown > 0;
    if (empty.hidden) return;
    if (search.value.trim() !== "" && list.total > 0) {
      setText(emptyTitle, `No event here has “${search.value.trim()}” in it.`);
      return setText(emptyHint, "Empty the search (Escape) to see them all; new ones that have it show up by themselves.");
    }
    const waiting = session.client !== undefined && !list.paused;
    if (session.state === "closed") {
      setText(emptyTitle, "The router refused the connection.");
      return setText(emptyHint, "What to do is told at the top of the page.");
    }
    setText(emptyTitle, session.client === undefined ? "Not connected." : list.paused ? "Paused." : `Waiting for events that match ${shown} …`);
    setText(emptyHint, waiting ? "Publish one on this page, press “play a shop”, or choose “from start” to see what the log holds." : "");
  });

  async function follow(client: EventRouterClient, { topics, filter, from }: TailQuery): Promise<void> {
    // Until the router has accepted this subscription the old one is on show, and what this one brings waits.
    const early: RouterEvent[] = [];
    let take = (event: RouterEvent): void => void early.push(event);
    let wanted = true;
    const subscription = client.on([...topics], { filter, from }, (event) => take(event));
    const end = () => {
      wanted = false;
      take = () => {};
      subscription.unsubscribe().catch((thrown: unknown) => { if (client === session.client) activity.error(thrown, "leaving a subscription"); });
    };
    subscription.onGap(({ from: first, to }) => list.gap(to === null ? "The router's log has begun anew" : `Events ${count(first)} to ${count(to)} are no longer in the log`));
    abandon();
    abandon = end;
    try {
      await subscription.ready;
    } catch (thrown) {
      // One that was replaced while it waited has nothing to say any more.
      if (wanted) throw thrown;
      return;
    }
    if (!wanted) return;
    abandon = () => {};
    leave();
    leave = end;
    following = { topics, filter, from };
    shown = filter === undefined ? topics.join(", ") : `${topics.join(", ")} and the filter`;
    list.clear();
    take = (event) => {
      seen.take(event);
      list.push(event);
    };
    for (const event of early) take(event);
  }

  const bar = setUpFilterBar(session.address, async (query) => {
    const { client } = session;
    if (client === undefined) return;
    try {
      await follow(client, query);
    } catch (thrown) {
      // A connection that was refused is no fault of the pattern: the page says so where it was made.
      if (client.state !== "closed") throw thrown;
    }
  });

  // What is said where there is nothing depends on it.
  session.onStateChange((state) => { if (state === "closed") list.clear(); });
  session.use(() => {
    list.clear();
    bar.refresh();
    return () => {
      abandon();
      leave();
      leave = abandon = () => {};
      list.clear();
    };
  });

  setUpFilterBuilder(seen);
  showFrames(find("frame-meter", HTMLElement));
  pause.addEventListener("click", () => { list.paused = !list.paused; });
  search.addEventListener("input", () => list.search(search.value));
  // Of itself, only Chromium does so.
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || search.value === "") return;
    event.preventDefault();
    search.value = "";
    list.search("");
  });
  newer.addEventListener("click", () => list.toTop());
  find("clear", HTMLButtonElement).addEventListener("click", () => list.clear());
  return () => following;
}
