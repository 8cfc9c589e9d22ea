import { expect, test } from "vitest";

import { isKnown, tokensPerSecond, totalOf, usageOf } from "./usage";

test("the five kinds add up to the total", () => {
  const tokens = { input: 98_246, output: 1_106, cache_read: 96_400, cache_write: 1_840, reasoning: 612, total: 99_352 };
  const usage = usageOf(tokens);
  expect(usage).toEqual({ read: 96_400, write: 1_840, fresh: 6, reasoning: 612, output: 494 });
  expect(Object.values(usage).reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(totalOf(tokens));
});

test("unknown stays unknown and is never 0", () => {
  const usage = usageOf({ input: 12 });
  expect(usage).toEqual({ read: null, write: null, fresh: 12, reasoning: null, output: null });
  expect(isKnown(usageOf({}))).toBe(false);
  expect(totalOf({})).toBeNull();
});

test("more cached than sent does not go below nothing", () => {
  expect(usageOf({ input: 5, cache_read: 9 }).fresh).toBe(0);
});

test("speed counts from the first token", () => {
  const pace = { state: "completed", duration_us: 9_571_000, ttft_us: 1_841_000 };
  expect(tokensPerSecond({ output: 1_106 }, pace)).toBeCloseTo(143.08, 1);
  expect(tokensPerSecond({ output: 10 }, { ...pace, ttft_us: 9_571_000 })).toBeNull();
  expect(tokensPerSecond({ output: 10 }, { ...pace, ttft_us: null })).toBeNull();
  expect(tokensPerSecond({ output: 10 }, { ...pace, duration_us: null })).toBeNull();
  expect(tokensPerSecond({ output: null }, pace)).toBeNull();
  for (const state of ["streaming", "failed", "cancelled"]) expect(tokensPerSecond({ output: 10 }, { ...pace, state }), state).toBeNull();
});
