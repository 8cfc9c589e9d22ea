import { expect, test } from "vitest";

import { inksOf } from "./code-inks";
import { linesOf } from "./code-lines";
import { findAll, MATCHES_MAX } from "./code-search";

test("finds without regard to case, by line and place", () => {
  expect(findAll(linesOf("Bash\nx bash BASH"), "bash")).toEqual([
    { line: 0, from: 0, to: 4 }, { line: 1, from: 2, to: 6 }, { line: 1, from: 7, to: 11 },
  ]);
  expect(findAll(linesOf("退款申请"), "申请")).toEqual([{ line: 0, from: 2, to: 4 }]);
  expect(findAll(linesOf("abc"), "")).toEqual([]);
});

test("letters that grow when folded do not shift what is found", () => {
  expect(findAll(linesOf("İİ key"), "key")).toEqual([{ line: 0, from: 3, to: 6 }]);
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
