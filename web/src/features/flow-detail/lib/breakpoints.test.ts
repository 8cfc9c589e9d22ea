import { expect, test } from "vitest";

import type { Part } from "@/api/types";

import { withBreakpoints } from "./breakpoints";

const RAW = { type: "ephemeral" };
const MARK: Part = { kind: "other", name: "cache_control", raw: RAW };
const RESULT: Part = { kind: "tool_result", call_id: "c1", content: [], is_error: false };
const TEXT: Part = { kind: "text", text: "go" };

test("a breakpoint is a mark on the part before it", () => {
  expect(withBreakpoints([RESULT, MARK, TEXT])).toEqual([{ part: RESULT, cache: RAW }, { part: TEXT, cache: null }]);
});

test("a text keeps its own", () => {
  const own: Part = { kind: "text", text: "go", cache: { ttl: "1h" } };
  expect(withBreakpoints([own, MARK])).toEqual([{ part: own, cache: { ttl: "1h" } }]);
});

test("with nothing before it, it marks what follows; alone it is nothing", () => {
  expect(withBreakpoints([MARK, TEXT])).toEqual([{ part: TEXT, cache: RAW }]);
  expect(withBreakpoints([MARK])).toEqual([]);
});

test("other parts that are kept as they are stay parts", () => {
  const other: Part = { kind: "other", name: "search_result", raw: {} };
  expect(withBreakpoints([other])).toEqual([{ part: other, cache: null }]);
});
