import { expect, test } from "vitest";

import { inksOf } from "./code-inks";
import { linesOf } from "./code-lines";
import { findAll, matchesIn, MATCHES_MAX } from "./code-search";

test("finds without regard to case, by place", () => {
  expect(findAll(linesOf("Bash\nx bash BASH"), "bash")).toEqual([
    { from: 0, to: 4 }, { from: 7, to: 11 }, { from: 12, to: 16 },
  ]);
  expect(findAll(linesOf("退款申请"), "申请")).toEqual([{ from: 2, to: 4 }]);
  expect(findAll(linesOf("abc"), "")).toEqual([]);
});

test("letters that grow when folded do not shift what is found", () => {
  expect(findAll(linesOf("İİ key"), "key")).toEqual([{ from: 3, to: 6 }]);
});

test("a search is bounded", () => {
  expect(findAll(linesOf("a".repeat(20_000)), "a")).toHaveLength(MATCHES_MAX);
});

test("JSON is drawn in four inks and loses no character", () => {
  const line = '  "a\\"b": [-1.5e3, "x:y", true, null],';
  const pieces = inksOf(line);
  expect(pieces.filter(({ ink }) => ink !== "plain").map(({ ink }) => ink)).toEqual(["key", "number", "string", "word", "word"]);
  expect(pieces.map(({ text }) => text).join("")).toBe(line);
});

test("a row knows the matches that begin, stand or end in it", () => {
  const matches = [{ from: 2, to: 6 }, { from: 8, to: 12 }, { from: 30, to: 31 }];
  const froms = (from: number, to: number) => matchesIn(matches, from, to).map((match) => match.from);
  expect(froms(0, 10)).toEqual([2, 8]);
  expect(froms(5, 9)).toEqual([2, 8]);
  expect(froms(6, 8)).toEqual([]);
  expect(froms(12, 30)).toEqual([]);
  expect(froms(0, 100)).toEqual([2, 8, 30]);
});
