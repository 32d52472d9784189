/** A bug that is planted: in a file of `src`, a text that stands there once is replaced. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly (readonly [file: string, find: string, replace: string])[];
}

const one = (name: string, file: string, find: string, replace: string): Mutant => ({ name, edits: [[file, find, replace]] });

/** Each breaks a promise in a way that somebody could have written. */
export const mutants: readonly Mutant[] = [
  // The log, and what is acknowledged of it.
  one("a write that failed is acknowledged", "core/appender.ts", "if (fate instanceof EventRouterError) {\n        this.#failed(fate);", "if (fate instanceof EventRouterError) {\n        for (const { batches, done } of group) this.#answer(done, batches.map(({ drafts }) => drafts.map((_, i) => ({ state: \"appended\", seq: this.#log.head + i + 1 }))));\n      } else if (fate instanceof EventRouterError) {\n        this.#failed(fate);"),
  one("what waits behind a failed write is written all the same", "core/appender.ts", "[...group, ...this.#take(Infinity)]", "group"),
  one("an append is not one transaction", "stores/sqlite-transactions.ts", "db.exec(\"BEGIN IMMEDIATE\");\n      const result = work();\n      db.exec(\"COMMIT\");", "const result = work();"),
  one("watchers hear of an append before its commit", "stores/sqlite-log.ts", "          streams.write(admission);\n        });", "          streams.write(admission);\n          listeners.tell(events);\n        });"),
  one("a log that is opened anew forgets the ids it has seen", "stores/sqlite-ids.ts", "if (row === undefined) return undefined;", "return undefined;"),
  one("a repeat is taken for a new event", "stores/admission.ts", "if (mark !== undefined && hasSeen(mark, place.number)) {", "if (mark !== undefined && mark.top < 0) {"),
  one("another event under the same id is taken for a repeat", "stores/admission.ts", "if (line !== undefined && !isSameEvent(line, draft)) {", "if (line === \"\" && !isSameEvent(line, draft)) {"),
  one("the events of a transaction that are sound are published without the others", "core/publisher.ts", "drafts = readAll(lines, read, this.#namespace.limits).map((one) => draftOf(one, time, this.stamp));", "void readAll;\n      drafts = readEach(lines, read).filter((one) => !(one instanceof EventRouterError)).map((one) => draftOf(one, time, this.stamp));"),
  one("a namespace is left out of a key: all share one log", "core/namespaces.ts", "const log = await store.open(name);", "const log = await store.open(\"default\");"),
  one("trimming says one seq too many", "stores/sqlite-log.ts", "updateFirst.run(first, trimmed, id);", "updateFirst.run(first + 1, trimmed, id);"),
  // Delivery.
  one("a position is off by one", "core/namespace.ts", "if (epoch === log.epoch) return { after: Math.min(seq, head) };", "if (epoch === log.epoch) return { after: Math.min(seq + 1, head) };"),
  one("a reader goes live one event too early", "core/catch-up.ts", "if (after >= this.#dispatcher.head) return", "if (after >= this.#dispatcher.head - 1) return"),
  one("who falls behind loses the event that did not fit", "core/dispatcher.ts", "cursor.place = { state: \"behind\", after };", "cursor.place = { state: \"behind\", after: after + 1 };"),
  one("the tail says that it reaches further back than it does", "core/tail.ts", "seq < oldest.seq - 1) return undefined", "seq < oldest.seq - 2) return undefined"),
  one("nobody is told of a gap", "core/catch-up.ts", "cursor.reader.tell(JSON.stringify([\"gap\", cursor.id, gap]));", ""),
  one("a gap is told one event too long", "core/catch-up.ts", "const gap: Gap = { from: after + 1, to,", "const gap: Gap = { from: after + 1, to: to + 1,"),
  one("nobody is told of another life of the log", "core/namespace.ts", "return { after: log.first - 1, gap: { from: seq + 1, to: null, epoch, reason: \"epoch\" } };", "return { after: log.first - 1 };"),
  one("credit leaks: what is finished makes no room", "core/window.ts", "this.#events -= count - this.#done;", ""),
  one("credit is not asked", "core/window.ts", "return events <= this.roomEvents && ", "return events <= this.roomEvents + 1e9 || "),
  one("a page that could not be read is never asked for again", "core/catch-up.ts", "      this.#reading.delete(cursor);\n      this.#stalled.add(cursor);", "      this.#stalled.add(cursor);"),
  one("a filter is forgotten on replay", "core/interest.ts", "matchesPattern(pattern, event.type)) && ", "matchesPattern(pattern, event.type)) || "),
  one("a target is forgotten on replay", "core/reader.ts", "return target === undefined || target === name;", "return target === undefined || target !== \"\" || name === target;"),
  one("a deny is forgotten on replay", "core/reader.ts", "if (!mayReadEvent(rights, event)) return false;", "void mayReadEvent; void rights;"),
  one("a deny is forgotten live", "core/dispatcher.ts", "return mayReadEvent(reader.rights, event);", "return mayReadEvent(reader.rights, event) || true;"),
  one("rights that change are heeded by new subscriptions alone", "core/entitle.ts", "  reader.rights = rights;\n", "  if (rights === reader.rights) return;\n  return void namespace;\n"),
  one("a subscription that ended is still given events", "core/dispatcher.ts", "if (cursor.place.state === \"live\") this.#changed.add(cursor.reader);", ""),
  // Sessions, requests, time.
  one("what is left of an earlier session is not ended", "core/router.ts", "this.#instances.get(instance)?.end(new ConnectionError(\"ERR_REPLACED\"", "void (new ConnectionError(\"ERR_REPLACED\""),
  one("a request whose time is over stays open", "core/requests.ts", "if (pending === undefined) continue;\n      this.#remove(pending);", "if (pending === undefined) continue;"),
  one("a router that had nothing planned is not woken again", "core/router.ts", "if (this.#wake !== null && this.#wake <= time &&", "if (this.#wake === null) return void (this.#wake = time);\n    if (this.#wake <= time &&"),
  one("a timer is lost on wake", "core/office.ts", "this.work.tick(now)].filter", "(this.work.tick(now), null)].filter"),
  one("a client that was slow to greet is refused for good", "core/session.ts", "; connect again`, { retryable: true }));", "; connect again`));"),
  // The client.
  one("after a cut the client sends what had no answer in another order", "client/outbox.ts", "this.#waiting = [...sent, ...this.#waiting].filter", "this.#waiting = [...sent.reverse(), ...this.#waiting].filter"),
  one("after a cut the client forgets what had no answer", "client/outbox.ts", "this.#waiting = [...sent, ...this.#waiting].filter", "this.#waiting = [...this.#waiting].filter"),
  one("an ephemeral event is sent again after a cut", "client/outbox.ts", "if (final || one.as === \"ephemeral\") this.abandon", "if (final) this.abandon"),
  one("what is held back for a batch is overtaken", "client/publishing.ts", "if (this.#held.length > 0) this.release();", ""),
  one("a request that was cut off is asked again", "client/requests.ts", "else if (one.sent) one.settle(new ConnectionError(", "else if (one.sent && one.deadline > 0) this.#unsent.push(one);\n      else if (one.sent) one.settle(new ConnectionError("),
  one("an event that comes again is handled again", "client/feed.ts", "} else if (seq <= this.#high) {", "} else if (seq <= this.low) {"),
  one("what was not started before a cut is taken for done", "client/feed.ts", "    this.#high = this.low;\n    for (let i = this.#head", "    for (let i = this.#head"),
  one("the client does not see that the log is another", "client/feed.ts", "if (epoch !== this.#epoch) {", "if (this.#epoch === undefined) {"),
  one("the client never asks for a sign of life", "client/heartbeat.ts", "if (interval > 0) this.#alarm.set(this.#heardAt + interval);", ""),
  one("answers do not count as received", "client/subscriptions.ts", "  heard(): void {\n    if (this.#connection.received", "  heard(): void {\n    if (this.#dueSize < 0 && this.#connection.received"),
  one("what was sent before the router refused the client is said to have failed", "client/outbox.ts", "this.abandon(one, final && one.sent ?", "this.abandon(one, final && one.sent && one.deadline < 0 ?"),
  // Groups, names, what comes later.
  one("an event of a member that died is forgotten", "core/group.ts", "        this.#given.delete(entry);\n        this.#waiting.add(entry);\n", "        this.#finish(entry);\n"),
  one("an event that failed is taken for done", "core/fate.ts", "return { state: \"again\", at: now + (delay ?? retryDelay(retry, attempts)) };", "void retryDelay; void delay; void now;\n      return { state: \"finished\" };"),
  one("an event that fails for good becomes no dead letter", "core/fate.ts", "if (final === true || attempts > retry.maxRetries) return { state: \"dead\", error };", "if (final === true || attempts > retry.maxRetries) return { state: \"finished\" };"),
  one("a job's time is never over", "core/jobs.ts", "if (job === undefined || job.expired) continue;", "if (job !== undefined || token < 0) continue;"),
  one("a group's place is kept without what it has open", "core/group-state.ts", "return { ...standing, epoch, after, open };", "return { ...standing, epoch, after, open: [] };"),
  one("a durable's place is kept as what was sent", "core/durables.ts", "const seq = idle ? this.#placeOf(cursor) : cursor.finished;", "const seq = cursor.place.state === \"closed\" ? cursor.finished : this.#placeOf(cursor);"),
  one("a durable's place moves behind a gap that nobody heard of", "core/durables.ts", " && cursor.skipped <= cursor.finished;", ";"),
  one("a delayed event is published before its record is read again", "core/delayed.ts", "if (this.#ledger.get(key) !== undefined) this.#deadlines.add(this.#now() + AGAIN, key);\n        continue;", "found.push(key);\n        continue;"),
  one("what is held back is lost when the router starts anew", "core/work.ts", "for (const ledger of this.#ledgers) await ledger.load();", "for (const ledger of this.#ledgers.slice(0, 1)) await ledger.load();"),
  // Several routers.
  one("a leader that stood still past its lease leads on", "core/company/leadership.ts", "if (\"until\" in this.#standing && this.#options.elapsed() >= this.#standing.until) this.#drop();", "if (\"until\" in this.#standing && this.#options.elapsed() >= this.#standing.until + 60_000) this.#drop();"),
  one("a leader keeps who has left another router", "core/company/vouching.ts", "this.#guests.get(word[1])?.session?.disconnected();\n", ""),
  one("a session goes on when the link to its leader is lost", "core/company/away.ts", "if (this.#state.state === \"over\") return;\n    this.#options.end(leaderLost());", "if (this.#state.state === \"over\") return;"),
  one("what a leader sent before it heard of a withdrawn right is passed on", "core/company/away.ts", "this.#changed && !isLegible", "this.#changed && line === \"\" && !isLegible"),
  one("a gap reaches beyond what a router has heard", "core/catch-up.ts", "const to = Math.min(first - 1, this.#dispatcher.head);", "const to = first - 1;"),
  one("a router that closes stops watching its log too early", "core/namespace.ts", "    await this.work.close();\n    await this.company?.close();\n", "    await this.work.close();\n    await this.company?.close();\n    this.#unwatch();\n"),
];
