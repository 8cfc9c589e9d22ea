import { act, renderHook } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { setFeedLost, useFlowClockUs } from "./feed-clock";

afterEach(() => {
  setFeedLost(false);
  vi.useRealTimers();
});

test("the clock of running flows stands while the feed is lost, and goes on after", () => {
  vi.useFakeTimers({ now: 1_000_000 });
  const { result } = renderHook(() => useFlowClockUs(true));
  act(() => { vi.advanceTimersByTime(1_000); });
  expect(result.current).toBe(1_001_000_000);
  act(() => { setFeedLost(true); });
  act(() => { vi.advanceTimersByTime(5_000); });
  // A second loss while it is lost does not move it.
  act(() => { setFeedLost(true); });
  expect(result.current).toBe(1_001_000_000);
  act(() => { setFeedLost(false); });
  act(() => { vi.advanceTimersByTime(250); });
  expect(result.current).toBe(1_006_250_000);
});

test("an ended flow has no moving clock", () => {
  vi.useFakeTimers({ now: 1_000_000 });
  const { result } = renderHook(() => useFlowClockUs(false));
  act(() => { vi.advanceTimersByTime(1_000); });
  expect(result.current).toBe(1_000_000_000);
});
