import { ValidationError } from "./errors.ts";

const TYPE = /^[\w-]+(?:\.[\w-]+){0,15}$/;
/** A `$` may lead only where no `*` follows: the router's own names are read one by one. */
const PATTERN = /^(?:\$(?!.*\*))?(?:[\w-]+|\*\*?)(?:\.(?:[\w-]+|\*\*?)){0,15}$/;
const MAX_LENGTH = 256;

type Fault = readonly [sign: RegExp, advice: string];

// The first sign that is found names the mistake, so the order is from the telling to the general.
const TYPE_FAULTS: readonly Fault[] = [
  [/^\$/, 'names that begin with "$" are the router\'s own; choose another name'],
  [/[*#>+]/, "an event has one plain type; wildcards are for subscribing"],
];
const PATTERN_FAULTS: readonly Fault[] = [
  [/^\$.*\*/, 'names that begin with "$" are the router\'s own and cannot be read with a wildcard; write the exact name'],
  [/[#>]/, 'for any number of segments write "**"'],
  [/\+/, 'for exactly one segment write "*"'],
  [/\*{3}|[^.*/]\*|\*[^.*/]/, '"*" and "**" stand for whole segments; write "user.*" rather than "user*", or use a filter'],
];
const COMMON_FAULTS: readonly Fault[] = [
  [/\//, 'segments are joined by "."; write "." for "/"'],
  [/^$|^\.|\.\.|\.$/, "a segment is empty; put a name before and after every dot"],
  [/\s/, 'names have no spaces; use "_" or "-"'],
  [/[^\w.*-]/, 'names are made of letters A-Z a-z, digits, "_" and "-"'],
  [/^/, "it has more than 16 segments; use fewer"],
];

/** Runs only when the name is known to be wrong, so it may take its time. */
function fault(name: unknown, path: string, code: "ERR_TYPE" | "ERR_PATTERN"): ValidationError {
  const [noun, example, faults] = code === "ERR_TYPE" ? ["an event type", "order.placed", TYPE_FAULTS] as const : ["a pattern", "order.*", PATTERN_FAULTS] as const;
  let message: string;
  if (typeof name !== "string") message = `${noun} is a string such as "${example}"; got ${name === null ? "null" : Array.isArray(name) ? "an array" : typeof name}`;
  else if (name.length > MAX_LENGTH) message = `${noun} has at most ${MAX_LENGTH} characters; got ${name.length}`;
  else message = `${JSON.stringify(name)} is not ${noun}: ${[...faults, ...COMMON_FAULTS].find(([sign]) => sign.test(name))![1]}`;
  return new ValidationError(code, `${path}: ${message}`, { details: { path } });
}

/**
 * An event type that a client may publish: 1–16 segments of `[A-Za-z0-9_-]` joined by dots, at most 256 characters.
 * @throws ValidationError `ERR_TYPE`; `details.path` is `path`.
 */
export function assertType(type: unknown, path = "type"): asserts type is string {
  if (typeof type !== "string" || type.length > MAX_LENGTH || !TYPE.test(type)) throw fault(type, path, "ERR_TYPE");
}

/**
 * A pattern that a client may subscribe to: like a type, but a whole segment may be `*` or `**`. A name that begins
 * with `$` passes only without wildcards; whether it may be read at all is for permissions to say.
 * @throws ValidationError `ERR_PATTERN`; `details.path` is `path`.
 */
export function assertPattern(pattern: unknown, path = "topics"): asserts pattern is string {
  if (typeof pattern !== "string" || pattern.length > MAX_LENGTH || !PATTERN.test(pattern)) throw fault(pattern, path, "ERR_PATTERN");
}

/** Whether a type or pattern is among the router's own names, which no wildcard in their first segment's place reaches. */
export function isReserved(name: string): boolean {
  return name.charCodeAt(0) === 36; // "$"
}

/** Where the segment that begins at `start` ends. */
export function segmentEnd(name: string, start: number): number {
  const dot = name.indexOf(".", start);
  return dot < 0 ? name.length : dot;
}

function sameSegment(a: string, aStart: number, b: string, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a.charCodeAt(aStart + i) !== b.charCodeAt(bStart + i)) return false;
  return true;
}

/**
 * Whether an event of `type` is for a subscriber of `pattern`: `*` is exactly one segment, `**` any number, none included.
 * Both must be valid. Nothing is allocated, and the cost is at most (segments of `pattern`) × (segments of `type`):
 * only the last `**` is ever widened, since whatever an earlier one could still take, the last one can take instead.
 */
export function matchesPattern(pattern: string, type: string): boolean {
  if (pattern === type) return true;
  if (isReserved(pattern) !== isReserved(type)) return false;
  let p = 0, t = 0; // where the next segments begin; past the length when none is left
  let resume = -1, taken = 0; // what follows the last `**`, and where what it takes ends
  while (t <= type.length) {
    if (resume > pattern.length) return true; // a `**` at the end takes the rest
    const pEnd = segmentEnd(pattern, p), tEnd = segmentEnd(type, t);
    if (pattern.startsWith("**", p)) {
      resume = p = pEnd + 1;
      taken = t;
    } else if (p <= pattern.length && (pattern[p] === "*" || (pEnd - p === tEnd - t && sameSegment(pattern, p, type, t, tEnd - t)))) {
      p = pEnd + 1;
      t = tEnd + 1;
    } else if (resume >= 0) {
      p = resume;
      t = taken = segmentEnd(type, taken) + 1;
    } else return false;
  }
  while (pattern.startsWith("**", p)) p += 3;
  return p > pattern.length;
}

/**
 * Whether every type that `inner` matches is matched by `outer`: exact, over types of any length, in polynomial time.
 *
 * `inner` is read as if it were a type, by an automaton whose places are the gaps between the segments of `outer`. Its `*`
 * is a name found nowhere else, which only wildcards of `outer` take. Its `**` takes no room, but may stand only within a
 * run of wildcards that has a `**`. That this suffices is plain. That it is needed: a run of wildcards says "n segments" or
 * "n or more" between two literals of `outer`. Widen one `**` of `inner` beyond every n, with fresh names: the literals of
 * `outer` fall left or right of it, and the run between them is "n or more". Now let that `**` take nothing: if another run
 * lies across its place, then on one side the same literals are found with n segments to spare before its place, and the
 * other side can stay as it was when widened. So one reading serves every width, and so on for each `**` in turn.
 */
export function containsPattern(outer: string, inner: string): boolean {
  if (isReserved(outer) !== isReserved(inner)) return false;
  const pattern = outer.split("."), word = inner.split(".");
  if (word.every((segment): boolean => segment === "**")) word.push("*"); // no type is empty
  const wild = (segment: string | undefined) => segment === "*" || segment === "**";
  /** Whether the run of wildcards round a place has a `**`. */
  const elastic = (place: number): boolean => {
    while (wild(pattern[place - 1])) place--;
    while (pattern[place] === "*") place++;
    return wild(pattern[place]);
  };
  const enter = (place: number, places: Set<number>) => {
    places.add(place);
    while (pattern[place] === "**") places.add(++place);
    return places;
  };
  let places = enter(0, new Set());
  for (const segment of word) {
    const next = new Set<number>();
    for (const place of places) {
      const own = pattern[place];
      const stays = segment === "**" ? elastic(place) : own === "**";
      if (stays) enter(place, next);
      else if (segment !== "**" && (own === "*" || own === segment)) enter(place + 1, next);
    }
    places = next;
  }
  return places.has(pattern.length);
}
