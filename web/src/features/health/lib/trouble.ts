/** Which of the things that can be wrong with recording is said: one at a time, the worst first. */
import type { Health } from "@/api/types";

export type Trouble =
  | { kind: "disk"; problem: string }
  | { kind: "paused" }
  | { kind: "lost"; flows: number }
  | { kind: "gaps"; frames: number };

export function troubleOf({ capture, store, recording }: Health): Trouble | null {
  if (store.problem != null) return { kind: "disk", problem: store.problem };
  if (!recording) return { kind: "paused" };
  const lost = capture.flows_lost + store.flows_not_stored;
  if (lost > 0) return { kind: "lost", flows: lost };
  return capture.gap_frames > 0 ? { kind: "gaps", frames: capture.gap_frames } : null;
}
