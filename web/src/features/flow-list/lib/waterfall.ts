/** Bars on one time axis: the window is what is visible, and rows only know their own times. */
import type { Row } from "@/api/types";

/** Seconds after `ZERO_US`: small numbers, so that CSS can divide them without losing milliseconds. */
export interface Bar {
  start: number;
  wait: number;
  flow: number;
}

export interface TimeWindow {
  from: number;
  span: number;
}

const US_PER_S = 1_000_000;
/** The narrowest window: a single fast call shall not fill the column. */
const SPAN_S_MIN = 1;
/** All bars count from when the page was opened. */
export const ZERO_US = Math.floor(Date.now() / 1_000) * US_PER_S;

export function isRunning(row: Row): boolean {
  return row.state === "pending" || row.state === "streaming" || row.state === "intercepted";
}

/** How long the flow took, or has taken until now. */
export function elapsedUs(row: Row, nowUs: number): number {
  return row.duration_us ?? Math.max(0, nowUs - row.started_at);
}

export function barOf(row: Row, nowUs: number, zeroUs = ZERO_US): Bar {
  const whole = elapsedUs(row, nowUs);
  const head = row.ttft_us ?? row.ttfb_us ?? (row.state === "pending" || row.end === "timeout" ? whole : 0);
  const wait = Math.min(whole, head);
  return { start: (row.started_at - zeroUs) / US_PER_S, wait: wait / US_PER_S, flow: (whole - wait) / US_PER_S };
}

/** The window that holds all these rows. */
export function windowOf(rows: readonly Row[], nowUs: number, zeroUs = ZERO_US): TimeWindow {
  let from = Number.POSITIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const bar = barOf(row, nowUs, zeroUs);
    from = Math.min(from, bar.start);
    until = Math.max(until, bar.start + bar.wait + bar.flow);
  }
  if (rows.length === 0) return { from: 0, span: SPAN_S_MIN };
  return { from, span: Math.max(SPAN_S_MIN, until - from) };
}
