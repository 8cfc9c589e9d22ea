/**
 * The clock of flows that run. What they do is known from the live feed alone: while it is lost, the clock stands at
 * the moment when it was.
 */
import { useSyncExternalStore } from "react";

import { useNowUs } from "./use-now";

let lostAtUs: number | null = null;
const listeners = new Set<() => void>();

/** Stops the clock when the feed is lost, and lets it go on when the feed is back. */
export function setFeedLost(lost: boolean, nowUs = Date.now() * 1_000): void {
  if (lost === (lostAtUs !== null)) return;
  lostAtUs = lost ? nowUs : null;
  for (const listener of listeners) listener();
}

/** When the feed was lost; `null` while it is there. */
export function useFeedLostAt(): number | null {
  return useSyncExternalStore(subscribe, () => lostAtUs);
}

/** The time of day for a flow, in microseconds; moves only while the flow runs and the feed is there. */
export function useFlowClockUs(running: boolean): number {
  const lostAt = useFeedLostAt();
  const now = useNowUs(running && lostAt === null);
  return lostAt ?? now;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
