import { expect, test } from "vitest";

import { countInvisible, hasInvisible, visiblePieces } from "./invisible";

const codes = (text: string) => visiblePieces(text).map(({ text: piece, code, count }) => (code === null ? piece : count === 1 ? code : `${code}×${count}`));

test("hidden characters are named, and runs of one are one", () => {
  expect(codes("a\u202eb\u200b\u200b\u200bc\ufeff")).toEqual(["a", "U+202E", "b", "U+200B×3", "c", "U+FEFF"]);
  expect(codes("\u{e0041}\u{e0041}x\u2066")).toEqual(["U+E0041×2", "x", "U+2066"]);
});

test("what is seen stays whole, joined pictures too", () => {
  for (const text of ["", "plain 中文 é", "👩‍💻 👨‍👩‍👧 👩🏽‍💻 ❤️‍🔥"]) expect(codes(text), text).toEqual(text === "" ? [] : [text]);
  expect(codes("a\u200db")).toEqual(["a", "U+200D", "b"]);
});

test("pieces lose nothing", () => {
  const text = "x\u200d\u200d\u202ay\u{e0020}🦀\u00ad";
  expect(visiblePieces(text).map((piece) => piece.text).join("")).toBe(text);
  expect(hasInvisible(text)).toBe(true);
  expect(hasInvisible("中文 abc")).toBe(false);
});

test("counting stops at its limit", () => {
  expect(countInvisible("a\u200b".repeat(9), 100)).toBe(9);
  expect(countInvisible("a\u200b".repeat(900), 100)).toBe(100);
  expect(countInvisible("none", 100)).toBe(0);
});
