import { expect, test } from "vitest";

import { bytes, clock, compact, cut, decimal, duration, durationExact, idTail, instant, percent, shortId, shortModel } from "./format";

function check<T>(format: (value: T) => string, cases: [T, string][]): void {
  for (const [input, expected] of cases) expect(format(input)).toBe(expected);
}

test("counts keep three digits and never round up to 1000.0k", () => {
  check(compact, [[0, "0"], [999, "999"], [1_000, "1.0k"], [98_310, "98.3k"], [999_949, "999.9k"], [999_950, "1.00M"], [1_240_000, "1.24M"]]);
});

test("durations change their unit where the eye would", () => {
  check(duration, [
    [0, "0 ms"], [300, "300 µs"], [1_000, "1 ms"], [1_840, "1.8 ms"], [310_000, "310 ms"], [999_499, "999 ms"],
    [999_500, "1.0 s"], [9_571_000, "9.6 s"], [59_949_000, "59.9 s"], [60_000_000, "1 m 00 s"],
    [132_000_000, "2 m 12 s"], [3_660_000_000, "1 h 01 m"],
  ]);
  check(durationExact, [[1_840_000, "1.84 s"], [310_000, "310 ms"], [132_000_000, "2 m 12 s"]]);
});

test("sizes are decimal", () => {
  check(bytes, [[0, "0 B"], [999, "999 B"], [14_100, "14.1 KB"], [38_200_000, "38.2 MB"], [1_500_000_000, "1.50 GB"]]);
});

test("times are local and keep microseconds in full", () => {
  const at = new Date(2026, 10, 21, 4, 5, 9, 7).getTime() * 1_000 + 12;
  expect(clock(at)).toBe("04:05:09");
  expect(instant(at)).toBe("2026-11-21 04:05:09.007012");
});

test("models lose vendor and date, never everything", () => {
  check(shortModel, [
    ["claude-sonnet-4-5-20250929", "sonnet-4-5"], ["gpt-5.1-2025-11-13", "gpt-5.1"], ["models/gemini-2.5-pro", "gemini-2.5-pro"],
    ["claude-", "claude-"], ["qwen3-max", "qwen3-max"],
    ["eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet-4-5"], ["us-gov.amazon.nova-pro-v1:0", "nova-pro"],
    ["kimi-k2.5", "kimi-k2.5"], ["text-embedding-v3", "text-embedding-v3"], ["openai/gpt-5.1", "gpt-5.1"],
  ]);
});

test("ids show both ends; a cut never halves a character", () => {
  expect(shortId("0193a2b4-0000-7000-8000-00000000abcd")).toBe("0193a2b4…abcd");
  expect(cut("ab🦀", 3)).toBe("ab");
  expect(cut("ab🦀", 4)).toBe("ab🦀");
});

test("shares keep what is there apart from nothing", () => {
  check(percent, [[0, "0 %"], [4, "<0.1 %"], [10, "0.1 %"], [987, "9.9 %"], [996, "10 %"], [4_912, "49 %"], [10_400, "104 %"]]);
});

test("the wire's decimals keep three digits that count", () => {
  check(decimal, [["0", "0"], ["0.0418273645", "0.0418"], ["0.5", "0.5"], ["12.345", "12.3"], ["1234.5", "1,235"], ["0.0000000012", "0.0000000012"], ["", ""], ["many", "many"]]);
});

test("an id shows its end, a short one all of itself", () => {
  check(idTail, [["0193a2b4-0000-7000-8000-00000000abcd", "abcd"], ["run-1", "run-1"]]);
});
