import { expect, test } from "vitest";
import { milliseconds } from "../../src/core/duration.ts";

test.each([
  [0, 0], [1, 1], [1.5, 1.5], ["0ms", 0], ["100ms", 100], ["30s", 30_000], ["1m", 60_000], ["12h", 43_200_000], ["30d", 2_592_000_000], ["1.5s", 1_500], ["0.5d", 43_200_000],
])("%j is %d ms", (duration, ms) => expect(milliseconds(duration)).toBe(ms));

test.each([
  -1, NaN, Infinity, -Infinity, "", "s", "5", "5 s", " 5s", "5s ", "5s\n", "-5s", "+5s", ".5s", "5.s", "1e3s", "5S", "5sec", "5s5s", "Infinitys", `${"9".repeat(400)}d`, null, undefined, true, {}, [], ["5s"], 5n,
])("%s is refused, with the name of the option and examples", (duration) => {
  const attempt = () => milliseconds(duration as string, "timeout");
  expect(attempt).toThrow(expect.objectContaining({ name: "ValidationError", code: "ERR_DURATION", message: expect.stringMatching(/^timeout must be .*"30s"/), details: { path: "timeout" } }));
});
