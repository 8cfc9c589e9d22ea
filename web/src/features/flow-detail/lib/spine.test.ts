import { expect, test } from "vitest";

import { promptSpine } from "./spine";
import { utf8Bytes } from "./text-size";

test("the cache ends where the counts say", () => {
  expect(promptSpine([700, 200, 50, 50], { input: 100, cache_read: 90, cache_write: 6 })).toEqual(["read", "read", "write", "fresh"]);
  expect(promptSpine([1, 1], { input: 10, cache_read: 0 })).toEqual(["fresh", "fresh"]);
  expect(promptSpine([5, 5], { input: 10, cache_read: 10 })).toEqual(["read", "read"]);
});

test("unknown counts give no colour, an empty prompt no division by zero", () => {
  expect(promptSpine([1, 2], {})).toEqual([null, null]);
  expect(promptSpine([0], { input: 4, cache_read: 4 })).toEqual(["fresh"]);
});

test("sizes are those of UTF-8", () => {
  for (const text of ["", "abc", "é", "退款", "🦀", "a🦀é退", "\ud83e"]) {
    const bytes = new TextEncoder().encode(text).length;
    expect(utf8Bytes(text), JSON.stringify(text)).toBe(text === "\ud83e" ? 2 : bytes);
  }
});
