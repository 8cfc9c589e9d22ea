/** The time of a flow, cut into the steps that people know from a network panel. */
import type { Timings } from "@/api/types";

export type PhaseId = "dns" | "connect" | "tls" | "send" | "wait" | "firstToken" | "stream" | "download";

export interface Phase {
  id: PhaseId;
  startUs: number;
  /** `null`: it did not happen, was not measured, or is not over. */
  durationUs: number | null;
}

export interface PhaseInput {
  timings: Timings;
  ttftUs: number | null;
  streamed: boolean;
  /** How long the flow has been running; for one that is over, how long it took. */
  elapsedUs: number;
  running: boolean;
}

export function phasesOf({ timings, ttftUs, streamed, elapsedUs, running }: PhaseInput): Phase[] {
  const phases: Phase[] = [];
  let at = 0;
  const setup: [PhaseId, number | null | undefined][] = [["dns", timings.dns_us], ["connect", timings.connect_us], ["tls", timings.tls_us]];
  for (const [id, us] of setup) {
    phases.push({ id, startUs: at, durationUs: us ?? null });
    at += us ?? 0;
  }
  const sent = timings.sent_us ?? null;
  phases.push({ id: "send", startUs: at, durationUs: sent === null ? null : Math.max(0, sent - at) });
  at = sent ?? at;
  const first = timings.head_us ?? (timings.ttfb_us == null || sent === null ? null : sent + timings.ttfb_us);
  phases.push({ id: "wait", startUs: at, durationUs: first === null ? null : Math.max(0, first - at) });
  if (first === null) return phases;
  at = first;
  if (streamed) {
    phases.push({ id: "firstToken", startUs: at, durationUs: ttftUs === null ? null : Math.max(0, ttftUs - at) });
    at = Math.max(at, ttftUs ?? at);
  }
  const rest = running || timings.duration_us != null ? Math.max(0, elapsedUs - at) : null;
  phases.push({ id: streamed ? "stream" : "download", startUs: at, durationUs: rest });
  return phases;
}
