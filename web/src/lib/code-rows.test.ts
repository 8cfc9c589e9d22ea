import { expect, test } from "vitest";

import { lineCount, linesOf, lineText } from "./code-lines";
import { columnsOf, ROW_COLUMNS_MAX, rowsOf } from "./code-rows";

function rows(text: string, columns: number | null): string[] {
  const read = rowsOf(linesOf(text), columns);
  return Array.from({ length: lineCount(read) }, (_, row) => lineText(read, row));
}

test("rows are as wide as the pane; wide characters count double", () => {
  expect(rows("a".repeat(50), 20).map((row) => row.length)).toEqual([20, 20, 10]);
  expect(rows("中".repeat(50), 20).map((row) => row.length)).toEqual([10, 10, 10, 10, 10]);
  expect(rows("ab中".repeat(6), 20)).toEqual(["ab中".repeat(5), "ab中"]);
});

test("what fits is not broken, and line ends are no columns", () => {
  expect(rows(`${"x".repeat(20)}\ny\n`, 20)).toEqual(["x".repeat(20), "y"]);
  expect(rows("", 20)).toEqual([""]);
});

test("without wrapping only endless lines go on in another row", () => {
  expect(rows("z".repeat(3_000), null)).toHaveLength(1);
  expect(rows("z".repeat(ROW_COLUMNS_MAX + 1), null)).toHaveLength(2);
});

test("no pair is cut, nothing is lost, and every row fits", () => {
  const long = "🦀x中\u202e".repeat(200);
  const read = rows(long, 31);
  expect(read.join("")).toBe(long);
  for (const row of read) {
    expect(row).not.toMatch(/^[\udc00-\udfff]/);
    expect([...row].reduce((sum, sign) => sum + columnsOf(sign.codePointAt(0) ?? 0), 0)).toBeLessThanOrEqual(31);
  }
});

test("numbers and folds are those of lines", () => {
  const read = rowsOf(linesOf(JSON.stringify({ a: "y".repeat(100), b: [1] })), 40);
  expect([...read.numbers].filter((number) => number > 0)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(read.numbers).toContain(0);
  expect(read.closes[0]).toBe(lineCount(read) - 1);
});
