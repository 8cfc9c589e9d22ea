import { expect, test } from "vitest";

import type { Health } from "@/api/types";

import { troubleOf } from "./trouble";

const WELL: Health = {
  ok: true,
  recording: true,
  capture: { queued_bytes: 0, queued_events: 0, spilled_frames: 0, spilled_bytes: 0, gap_frames: 0, gap_bytes: 0, flows_begun: 5, flows_lost: 0 },
  store: { problem: null, commits: 1, commit_us_last: 1, commit_us_max: 1, backlog_bytes: 0, flows_not_stored: 0, flows_evicted: 0, flows_salvaged: 0, flows_unreadable: 0, flows_being_deleted: 0, text_lag_flows: 0, text_problem: null, notices: [] },
};

test("the worst is said first", () => {
  const gaps = { ...WELL, capture: { ...WELL.capture, gap_frames: 2 } };
  const lost = { ...gaps, capture: { ...gaps.capture, flows_lost: 3 }, store: { ...WELL.store, flows_not_stored: 1 } };
  const paused = { ...lost, recording: false };
  const full = { ...paused, store: { ...paused.store, problem: "disk full" } };
  expect([WELL, gaps, lost, paused, full].map(troubleOf)).toEqual([
    null, { kind: "gaps", frames: 2 }, { kind: "lost", flows: 4 }, { kind: "paused" }, { kind: "disk", problem: "disk full" },
  ]);
});
