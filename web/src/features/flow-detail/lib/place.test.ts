import { expect, test } from "vitest";

import { linesOf } from "@/lib/code-lines";

import { charsIn, placeIn } from "./place";

const found = (source: string, wanted: string) => {
  const shown = linesOf(source).text;
  return shown.slice(placeIn(source, shown, source.indexOf(wanted))).startsWith(wanted);
};

test("a place is found again in the laid-out text", () => {
  const source = '{"a b": [1, 2],\n"c":"x  y","d":{"e":null}}';
  for (const wanted of ['{', '"a b"', "1", "2", '"c"', '"x  y"', "null"]) expect(found(source, wanted), wanted).toBe(true);
});

test("text that is no JSON stays where it is; past the end is the end", () => {
  expect(placeIn("data: x", "data: x", 6)).toBe(6);
  expect(placeIn("data: x", "data: x", 99)).toBe(6);
  expect(placeIn("[1]", "[\n  1\n]", 99)).toBe(6);
  expect(placeIn("", "", 0)).toBe(0);
});

test("offsets count bytes, places count characters, and a cut character is none", () => {
  const bytes = new TextEncoder().encode("é中🦀x");
  expect([0, 2, 5, 9, 10].map((offset) => charsIn(bytes, offset))).toEqual([0, 1, 2, 4, 5]);
  expect(charsIn(bytes, 3)).toBe(1);
});
