import { expect, test } from "vitest";

import { lineAt, lineCount, linesOf, lineText } from "./code-lines";

function lines(text: string): string[] {
  const read = linesOf(text);
  return Array.from({ length: lineCount(read) }, (_, line) => lineText(read, line));
}

test("JSON is laid out as people write it", () => {
  const value = { a: [1, { b: "x,y:{}" }, []], c: {}, d: null };
  expect(lines(JSON.stringify(value)).join("\n")).toBe(JSON.stringify(value, null, 2));
  expect(linesOf(JSON.stringify(value)).kind).toBe("json");
});

test("tokens stand as they were sent", () => {
  expect(lines('{"n":1.0e+07,"n":12345678901234567890,"s":"\\u00e9\\\\\\"" }')).toEqual([
    "{", '  "n": 1.0e+07,', '  "n": 12345678901234567890,', '  "s": "\\u00e9\\\\\\""', "}",
  ]);
});

test("every opening line knows the line that closes it", () => {
  const read = linesOf('{"a":{"b":[1,2]},"c":[]}');
  expect([...read.closes]).toEqual([8, 6, 5, -1, -1, -1, -1, -1, -1]);
});

test("what is no whole JSON stays as it is", () => {
  for (const text of ['{"a":', "[1}", "{}{}", '{"a":"x', "data: {}\n\n", "", "{!}", "a\nb\n"]) {
    expect(linesOf(text), text).toMatchObject({ kind: "text", text });
  }
  expect(lines("a\n\nb\n")).toEqual(["a", "", "b"]);
});

test("a character is found in its line", () => {
  const read = linesOf("ab\ncd\nef");
  expect([0, 2, 3, 5, 6, 7].map((offset) => lineAt(read, offset))).toEqual([0, 0, 1, 1, 2, 2]);
});

test("the beginning of a body is laid out, though nothing closes it", () => {
  const text = '{"a":[1,{"b":"cut in the mid';
  expect(linesOf(text).kind).toBe("text");
  const read = linesOf(text, false);
  expect(read.kind).toBe("json");
  expect(read.text).toBe('{\n  "a": [\n    1,\n    {\n      "b": "cut in the mid');
});

test("deep nesting does not outgrow the body", () => {
  const depth = 5_000;
  const read = linesOf("[".repeat(depth) + "1" + "]".repeat(depth));
  expect(read.kind).toBe("json");
  expect(read.text.length).toBeLessThan(depth * 200);
});
