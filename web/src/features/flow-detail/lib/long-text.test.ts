import { expect, test } from "vitest";

import { countLines, excerptOf, isTooLongForProse, PARAGRAPH_CHARS_MAX, PROSE_CHARS_MAX } from "./long-text";

test("short texts stay whole", () => {
  expect(excerptOf("a\nb")).toEqual({ text: "a\nb", rest: null });
  expect(excerptOf("x\n".repeat(16)).rest).toBeNull();
});

test("long texts say what is left out", () => {
  const { text, rest } = excerptOf("line\n".repeat(100));
  expect(countLines(text)).toBe(14);
  expect(rest).toEqual({ lines: 86, bytes: 100 * 5 - text.length });
});

test("one long line is cut by characters, never inside one", () => {
  const { text, rest } = excerptOf("🦀".repeat(5_000));
  expect(text.length % 2).toBe(0);
  expect(rest?.bytes).toBe(20_000 - text.length * 2);
});

test("one long paragraph, or much text, is no prose", () => {
  expect(isTooLongForProse("中文 very long line ".repeat(20_000))).toBe(true);
  expect(isTooLongForProse("x".repeat(PARAGRAPH_CHARS_MAX))).toBe(false);
  expect(isTooLongForProse(`short\n${"x".repeat(PARAGRAPH_CHARS_MAX + 1)}`)).toBe(true);
  expect(isTooLongForProse("line\n".repeat(PROSE_CHARS_MAX / 5))).toBe(false);
  expect(isTooLongForProse("line\n".repeat(PROSE_CHARS_MAX / 5 + 1))).toBe(true);
  expect(isTooLongForProse("a\u200b".repeat(600))).toBe(true);
  expect(isTooLongForProse("")).toBe(false);
});
