/** Hostile messages: those of a lawful session, changed. The same for sessions in this process and for sockets. */

type Random = () => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const whole = (random: Random, below: number): number => Math.floor(random() * below);

const TYPES = ["a", "a.b", "order.placed", "x.y.z"];
const PATTERNS = ["a", "a.*", "**", "order.**", "*.placed"];

/** A lawful hello. */
export function hello(random: Random): string {
  return JSON.stringify(["hello", { v: 1, caps: ["x"], namespace: "default", ...(random() < 0.5 && { name: `n${whole(random, 3)}` }), ...(random() < 0.2 && { auth: { type: "api_key", key: "k" } }) }]);
}

/** A lawful message of an open session: one frame or more. */
export function lawful(random: Random): string {
  const frames: string[] = [];
  for (let left = 1 + whole(random, 3); left > 0; left--) frames.push(lawfulFrame(random));
  return frames.join("\n");
}

function lawfulFrame(random: Random): string {
  const n = whole(random, 5);
  const event = (): string => JSON.stringify([`e${whole(random, 1_000)}`, pick(random, TYPES), pick<unknown>(random, [null, 1, "text", { amount: 5, tags: ["a", { b: 1 }] }, [1, [2]]]), { priority: 5, source: "s", headers: { h: "v" }, correlationId: "c" }].slice(0, random() < 0.5 ? 3 : 4));
  switch (whole(random, 11)) {
    case 0: case 1: {
      const lines = Array.from({ length: 1 + whole(random, 4) }, event);
      return [JSON.stringify(["pub", n, lines.length, { as: pick(random, ["each", "all", "ephemeral"]), ...(random() < 0.2 && { run: 1 }) }]), ...lines].join("\n");
    }
    case 2: case 3: return JSON.stringify(["sub", n, { topics: [pick(random, PATTERNS), pick(random, PATTERNS)], ...(random() < 0.5 && { filter: { priority: { $gte: 3 }, "payload.tags": { $in: ["a", 1, null] }, $or: [{ type: { $regex: "^a" } }, { id: "x" }] } }), from: pick<unknown>(random, ["now", "start", { seq: n }, { time: 5 }, ["epoch", n]]) }]);
    case 4: return JSON.stringify(["serve", n + 5, [pick(random, PATTERNS)]]);
    case 5: return JSON.stringify(["unsub", n]);
    case 6: return JSON.stringify(["ack", whole(random, 10_000), n, whole(random, 1_000)]);
    case 7: return `${JSON.stringify(["req", n + whole(random, 1_000), 1_000])}\n${event()}`;
    case 8: return `${JSON.stringify(["answer", whole(random, 100)])}\n${JSON.stringify({ result: n })}`;
    case 9: return JSON.stringify(["fail", whole(random, 100), ["Error", "ERR_X", "no", 0, { name: "E" }]]);
    default: return JSON.stringify(pick<unknown>(random, [
      ["call", n, "read", { after: n, limit: 5, topics: ["**"], filter: { priority: 5 } }], ["call", n, "stats"], ["call", n, "health", {}], ["call", n, "subscriptions"], ["cancel", n], ["auth", n, { type: "api_key", key: "k" }],
    ]));
  }
}

/** Text that JSON.stringify would not write: it takes the place of a value. */
const BROKEN = ["NaN", "undefined", "'x'", "0x10", "01", ""];
const RAW = ["1e999", "-1e999", "-0", "-1", "1.5", "9007199254740993", "123456789012345678901234567890", "\"\\u0000\"", "\"\\ud800\"", "\"\\r\\n\"", "\"\u2028\"", "{\"__proto__\":{\"polluted\":1}}", "{\"constructor\":{\"prototype\":{\"polluted\":1}}}", "{\"a\":1,\"a\":2}", "{\"toString\":1}", "{\"then\":1}", "{\"length\":-1}"];

const VALUES: readonly unknown[] = [
  null, true, false, 0, -1, 2 ** 31, 2 ** 53, "", "x", "__proto__", "constructor", "hasOwnProperty", "$sys.a", "a..b", "*", "***", "**.**.**", "а.b" /* Cyrillic а */, "ａ", "a\u0301", "\u0000", "a\nb", "a\rb", "\ud800", "\udfff\ud800",
  "'; DROP TABLE events; --", "(a+)+$", "[", "ERR_X", [], [[]], {}, { $where: "1" }, { $regex: "(" }, { $regex: "(a{1,1000}){1,1000}" }, { $in: "x" }, { $not: { $not: {} } }, [null, undefined], ["hello", { v: 1 }], { toJSON: "x" },
];

/** A number of levels that a recursive reader does not survive. */
function nest(random: Random): string {
  const levels = random() < 0.97 ? pick(random, [20, 40, 200]) : pick(random, [5_000, 200_000]);
  const [open, close] = pick(random, [["[", "]"], ['{"a":', "}"], ['{"$and":[', "]}"], ['{"$not":', "}"]] as const);
  const deep = levels > 100_000 ? Math.floor(400_000 / (open.length + close.length)) : levels;
  return open.repeat(deep) + (random() < 0.8 ? "1" : "") + close.repeat(random() < 0.95 ? deep : Math.floor(deep / 2));
}

function value(random: Random): string {
  const roll = random();
  if (roll < 0.05) return pick(random, BROKEN);
  if (roll < 0.35) return pick(random, RAW);
  if (roll < 0.42) return nest(random);
  if (roll < 0.425) return JSON.stringify("x".repeat(pick(random, [257, 10_000, 300_000])));
  if (roll < 0.43) return JSON.stringify(Array.from({ length: pick(random, [101, 5_000]) }, (_, i) => `a${i}`));
  return JSON.stringify(pick(random, VALUES)) ?? "null";
}

/** Where a value of a JSON text begins and ends: any value, at any depth. */
function spanOf(text: string, random: Random): readonly [number, number] | undefined {
  const starts: number[] = [];
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|-?\d[\d.eE+-]*|true|false|null/g)) starts.push(match.index);
  if (starts.length === 0) return undefined;
  const start = pick(random, starts);
  const first = text[start]!;
  if (first !== "[" && first !== "{") return [start, start + /^(?:"(?:[^"\\]|\\.)*"|[^,\]}:]*)/.exec(text.slice(start))![0].length];
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "[" || text[at] === "{") depth++;
    if ((text[at] === "]" || text[at] === "}") && --depth === 0) return [start, at + 1];
  }
  return [start, text.length];
}

function mutateLine(line: string, random: Random): string {
  const span = spanOf(line, random);
  if (span === undefined) return line;
  const [start, end] = span;
  const old = line.slice(start, end);
  switch (whole(random, 6)) {
    case 0: return line.slice(0, start) + line.slice(end); // gone, its comma left
    case 1: return `${line.slice(0, end)},${old}${line.slice(end)}`; // twice
    case 2: return `${line.slice(0, start)}[${old}]${line.slice(end)}`; // wrapped
    default: return line.slice(0, start) + value(random) + line.slice(end);
  }
}

/** A message with one to three changes. */
export function mutate(message: string, random: Random): string {
  let text = message;
  // Mostly one: a second often only hides the first.
  for (let left = pick(random, [1, 1, 1, 2, 3]); left > 0; left--) {
    const lines = text.split("\n");
    const at = whole(random, lines.length);
    switch (whole(random, 18)) {
      case 0: text = text.slice(0, whole(random, text.length)); break;
      case 1: lines.splice(at, 1); text = lines.join("\n"); break;
      case 2: lines.splice(at, 0, lines[at]!); text = lines.join("\n"); break;
      case 3: lines.reverse(); text = lines.join("\n"); break;
      case 4: {
        const place = whole(random, text.length);
        text = text.slice(0, place) + pick(random, ["\u0000", "\r", "\r\n", "\n", " ", "\t", "\ud800", "\ufeff", "]", "[", "{", "}", '"', ",", "\\", "é", "👍"]) + text.slice(place);
        break;
      }
      case 5: text = `${text}\n${lawfulFrame(random)}`; break;
      // A count that is not so.
      case 6: text = text.replace(/^\["pub",(\d+),(\d+)/m, (_, req: string) => `["pub",${req},${pick(random, ["0", "1", "2", "99", "501", "9007199254740991", "-1"])}`); break;
      case 7: text = random() < 0.1 ? nest(random) : hello(random); break;
      // A filter without end.
      case 8: text = text.replace('"filter":', () => `"filter":${nest(random)},"was":`); break;
      default: {
        lines[at] = mutateLine(lines[at]!, random);
        text = lines.join("\n");
      }
    }
  }
  return text;
}
