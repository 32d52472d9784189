import type { Done } from "./appender.ts";
import { asError, EventRouterError, PublishError, toWire, ValidationError } from "./errors.ts";
import { count, malformed, record } from "./frame-reader.ts";
import type { Due } from "./delayed.ts";
import type { PublishResult } from "./frames.ts";
import { knownLine, type KnownEvent } from "./known-event.ts";
import type { LogEvent } from "./log-event.ts";
import type { Namespace } from "./namespace.ts";
import type { Principal } from "./policy.ts";
import type { Reader } from "./reader.ts";
import { checkMayPublish, draftOf, ephemeralOf, openStamp, readAll, readEach, readExpectation, readLine, resultOf, stampOf, type Publication } from "./publish.ts";
import type { Batch, Expectation, Outcome } from "./store.ts";

/** The session that publishes. */
export interface PublisherHome {
  readonly namespace: Namespace;
  readonly reader: Reader;
  /** Whose events they are; what it may do can change, who it is cannot. */
  readonly principal: Principal;
  /** @throws `ERR_RATE_LIMIT` if it is too much. */
  spend(kind: "publish", events: number): void;
  tell(frame: readonly unknown[]): void;
}

/** The `pub` frames of one session: from raw lines to the log, and the answer. */
export class Publisher {
  readonly #home: PublisherHome;
  /** What the router puts before each of its events. */
  readonly stamp: string;

  constructor(home: PublisherHome) {
    this.#home = home;
    this.stamp = stampOf(home.principal, home.reader.name);
  }

  get #namespace(): Namespace { return this.#home.namespace; }

  /** @throws ValidationError `ERR_FRAME` if the mode is none. */
  publish(req: number, lines: readonly string[], mode: unknown, known?: readonly KnownEvent[]): void {
    const terms = mode === undefined ? {} : record(mode, "mode");
    const { as = "each", run, expect } = terms;
    const { limits, appender } = this.#namespace;
    if (lines.length > limits.batch) return this.#refusePublish(req, lines.length, new ValidationError("ERR_BATCH_TOO_LARGE", `a publish may have ${limits.batch} events, this has ${lines.length}; publish them in several`));
    try {
      this.#home.spend("publish", lines.length);
    } catch (error) {
      return this.#refusePublish(req, lines.length, error as EventRouterError);
    }
    if (appender.full) return this.#refusePublish(req, lines.length, new PublishError("ERR_BUSY", "the store does not keep up; nothing of this publish was kept, publish again later", { retryable: true }));
    const read = (line: string, index: number): Publication => {
      const publication = knownLine(known?.[index], line, limits) ?? readLine(line, limits);
      checkMayPublish(this.#home.principal, publication.type);
      return publication;
    };
    switch (as) {
      case "each": return this.#publishEach(req, readEach(lines, read), run === 1);
      case "all": return this.#publishAll(req, lines, read, run === 1, expect);
      case "ephemeral": return this.#publishEphemeral(req, readEach(lines, (line, index) => inNoStream(read(line, index))));
      case "later": return this.#publishLater(req, readEach(lines, read), readDue(terms));
      default: throw malformed("a publish is as each, all, ephemeral or later");
    }
  }

  #publishEach(req: number, publications: readonly (Publication | EventRouterError)[], run: boolean): void {
    const time = this.#namespace.stampTime();
    const publisher = this.#home.principal.subject ?? "";
    const batches = [];
    for (const one of publications) if (!(one instanceof EventRouterError)) batches.push({ publisher, run, drafts: [draftOf(one, time, this.stamp)] });
    const answer = (fate: readonly Outcome[][] | EventRouterError): void => {
      let next = 0;
      const outcomes = publications.map((one) => one instanceof EventRouterError ? one : fate instanceof EventRouterError ? fate : fate[next++]![0]!);
      this.#tellPublished(req, time, outcomes.map((outcome) => outcome instanceof EventRouterError ? toWire(outcome) : resultOf(outcome)), versionsOf(outcomes));
      if (fate instanceof EventRouterError) this.#broken(fate);
    };
    if (batches.length === 0) answer([]);
    else this.#submit(batches, answer);
  }

  #publishAll(req: number, lines: readonly string[], read: (line: string, index: number) => Publication, run: boolean, expected: unknown): void {
    const time = this.#namespace.stampTime();
    let drafts;
    let expect: Expectation | undefined;
    try {
      expect = readExpectation(expected);
      drafts = readAll(lines, read, this.#namespace.limits).map((one) => draftOf(one, time, this.stamp));
    } catch (error) {
      return this.#refusePublish(req, lines.length, asError(error, (cause) => malformed("publish", cause)));
    }
    if (drafts.length === 0) return this.#tellPublished(req, time, []);
    this.#submit([{ publisher: this.#home.principal.subject ?? "", run, expect, drafts }], (fate) => {
      if (fate instanceof EventRouterError) {
        this.#refusePublish(req, lines.length, fate);
        return this.#broken(fate);
      }
      const refused = fate[0]!.find((outcome) => outcome.state === "refused");
      if (refused !== undefined) this.#refusePublish(req, lines.length, refused.error);
      else this.#tellPublished(req, time, fate[0]!.map(resultOf), versionsOf(fate[0]!));
    });
  }

  /** Held back: what goes into the log now is a record that says until when. */
  #publishLater(req: number, publications: readonly (Publication | EventRouterError)[], due: Due): void {
    const { work } = this.#namespace;
    const time = this.#namespace.stampTime();
    const publisher = this.#home.principal.subject ?? "";
    const batches: Batch[] = [];
    const fates = publications.map((one): EventRouterError | number => {
      if (one instanceof EventRouterError) return one;
      try {
        return batches.push({ publisher, run: false, drafts: [work.delayed.draft(one.id, one.line, due, openStamp(this.stamp))] }) - 1;
      } catch (error) {
        return asError(error, (cause) => malformed("a delayed publish", cause));
      }
    });
    this.#submit(batches, (fate) => {
      this.#tellPublished(req, time, fates.map((one) => {
        if (typeof one !== "number") return toWire(one);
        if (fate instanceof EventRouterError) return toWire(fate);
        const outcome = fate[one]![0]!;
        return outcome.state === "refused" ? toWire(outcome.error) : outcome.state === "duplicate" ? [null] : 0;
      }));
      if (fate instanceof EventRouterError) this.#broken(fate);
    });
  }

  #submit(batches: readonly Batch[], done: Done): void {
    const { reader, namespace } = this.#home;
    reader.unanswered++;
    namespace.appender.submit(batches, (fate) => {
      reader.unanswered--;
      done(fate);
    });
  }

  #publishEphemeral(req: number, publications: readonly (Publication | EventRouterError)[]): void {
    const time = this.#namespace.stampTime();
    const events: LogEvent[] = [];
    for (const one of publications) if (!(one instanceof EventRouterError)) events.push(ephemeralOf(one, time, this.stamp));
    this.#namespace.passOn(events);
    this.#tellPublished(req, time, publications.map((one) => (one instanceof EventRouterError ? toWire(one) : 0)));
  }

  /** The store failed: what this client sends on the same link must not be stored any more, or its order would be lost (P3). */
  #broken(error: EventRouterError): void {
    this.#home.reader.owner.end(error);
  }

  #tellPublished(req: number, time: number, results: readonly PublishResult[], versions?: readonly (number | null)[]): void {
    for (const result of results) if (typeof result === "object" && typeof result[0] === "string") this.#namespace.refused++;
    this.#home.tell(versions === undefined ? ["pub", req, time, results] : ["pub", req, time, results, versions]);
  }

  #refusePublish(req: number, events: number, error: EventRouterError): void {
    this.#namespace.refused += events;
    this.#home.tell(["err", req, toWire(error)]);
  }
}

/** The versions of what went into event streams; undefined if nothing did. */
function versionsOf(outcomes: readonly (Outcome | EventRouterError)[]): (number | null)[] | undefined {
  const versions = outcomes.map((outcome) => ("version" in outcome ? outcome.version ?? null : null));
  return versions.some((version) => version !== null) ? versions : undefined;
}

function readDue({ in: after, at }: Readonly<Record<string, unknown>>): Due {
  if ((after === undefined) === (at === undefined)) throw malformed("a delayed publish has one of in and at");
  return after === undefined ? { at: count(at, "at") } : { in: count(after, "in") };
}

function inNoStream(publication: Publication): Publication {
  if (publication.meta?.stream !== undefined) throw new ValidationError("ERR_STREAM", "an ephemeral event is not stored, so it cannot be in an event stream; leave out one of both", { details: { path: "stream" } });
  return publication;
}
