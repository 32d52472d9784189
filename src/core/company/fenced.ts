import type { Appender } from "../appender.ts";
import type { Log } from "../store.ts";

/** The log as a leader writes it: what it trims and notes carries its token. */
export function fenced(log: Log, lead: number): Log {
  return {
    get epoch() { return log.epoch; },
    get head() { return log.head; },
    get first() { return log.first; },
    get extent() { return log.extent; },
    append: (batches) => log.append(batches),
    read: (after, limit) => log.read(after, limit),
    readStream: (...args) => log.readStream(...args),
    seqBefore: (time) => log.seqBefore(time),
    watch: (listener) => log.watch(listener),
    trim: (seq) => log.trim(seq, lead),
    readBookmark: (key) => log.readBookmark(key),
    listBookmarks: (prefix) => log.listBookmarks(prefix),
    writeBookmarks: (entries) => log.writeBookmarks(entries, lead),
  };
}

/** The appender as a leader uses it for records of its own. */
export function fencedAppender(appender: Appender, lead: number): Pick<Appender, "submit"> {
  return { submit: (batches, done) => appender.submit(batches.map((batch) => ({ ...batch, lead })), done) };
}
