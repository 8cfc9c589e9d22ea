import { expect, test } from "vitest";

import { rowOf } from "@/testing/fixtures";

import { barOf, elapsedUs, isRunning, windowOf } from "./waterfall";

const zero = rowOf(0).started_at;

test("a bar waits until its first text and then flows", () => {
  expect(barOf(rowOf(3), 0, zero)).toEqual({ start: 3, wait: 0.4, flow: 1.6 });
  expect(barOf(rowOf(3, { ttft_us: null }), 0, zero)).toEqual({ start: 3, wait: 0.3, flow: 1.7 });
});

test("a running flow grows with the clock, and waits as long as nothing came", () => {
  const pending = rowOf(3, { state: "pending", end: null, duration_us: null, ttfb_us: null, ttft_us: null });
  expect(isRunning(pending)).toBe(true);
  expect(barOf(pending, zero + 5_000_000, zero)).toEqual({ start: 3, wait: 2, flow: 0 });
  expect(elapsedUs(pending, zero)).toBe(0);
});

test("the window holds every bar and is never of no width", () => {
  const rows = [rowOf(9, { duration_us: 500_000, ttft_us: 0 }), rowOf(3, { duration_us: 8_000_000 })];
  const { from, span } = windowOf(rows, 0, zero);
  expect(from).toBe(3);
  expect(span).toBe(8);
  expect(windowOf([rowOf(1, { duration_us: 1 })], 0, zero).span).toBe(1);
  expect(windowOf([], 0, zero)).toEqual({ from: 0, span: 1 });
});
