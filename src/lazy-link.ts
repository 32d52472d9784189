import { notLoaded } from "./client/later.ts";
import type { ConnectionError } from "./core/errors.ts";
import type { Link, LinkListener } from "./core/link.ts";
import { comeBack, type ComeBackOptions } from "./core/come-back.ts";

/** A link whose code is loaded when it is needed. Until then it is a pipe that is not open, and code that does not come is a connection that is not made. */
export function lazyLink(load: () => Promise<Link>, options: ComeBackOptions): Link {
  let listener: LinkListener;
  let link: Link | undefined;
  let phase: "idle" | "loading" | "closed" = "idle";

  async function attempt(): Promise<void> {
    phase = "loading";
    const loaded = await load().catch(failed);
    if (phase !== "loading" || loaded === undefined) return;
    link = loaded;
    link.start(listener);
  }

  function failed(thrown: unknown): void {
    if (phase === "closed") return;
    phase = "idle";
    const error = notLoaded(thrown) as ConnectionError;
    // What this platform cannot do it cannot do later.
    listener.down(error, !(error.retryable && attempts.failed()));
  }

  const attempts = comeBack(options, () => void attempt());

  return {
    start(on) {
      listener = on;
      void attempt();
    },
    send(message) { link?.send(message); },
    know(events) { link?.know?.(events); },
    restart(delay = 0) {
      if (link !== undefined) link.restart(delay);
      else if (phase === "idle") attempts.again(delay);
    },
    close() {
      phase = "closed";
      attempts.stop();
      link?.close();
    },
  };
}
