import { expect, test } from "vitest";

import { exchangeOf } from "@/testing/fixtures";

import { phasesOf, type PhaseInput } from "./phases";

const WHOLE: PhaseInput = { timings: exchangeOf().timings, ttftUs: 400_000, streamed: true, elapsedUs: 2_000_000, running: false };

function check(input: Partial<PhaseInput>, expected: Record<string, [number, number | null]>): void {
  const phases = phasesOf({ ...WHOLE, ...input });
  expect(Object.fromEntries(phases.map(({ id, startUs, durationUs }) => [id, [startUs, durationUs]]))).toEqual(expected);
}

test("the steps of a stream follow each other and fill the whole", () => {
  check({}, {
    dns: [0, 1_000], connect: [1_000, 2_000], tls: [3_000, 3_000], send: [6_000, 14_000],
    wait: [20_000, 280_000], firstToken: [300_000, 100_000], stream: [400_000, 1_600_000],
  });
});

test("a whole answer is received in one step", () => {
  const phases = phasesOf({ ...WHOLE, streamed: false, ttftUs: null });
  expect(phases.map(({ id }) => id)).toEqual(["dns", "connect", "tls", "send", "wait", "download"]);
  expect(phases.at(-1)).toEqual({ id: "download", startUs: 300_000, durationUs: 1_700_000 });
});

test("what did not happen or is not over has no length", () => {
  const none = { dns_us: null, connect_us: null, tls_us: null, sent_us: null, head_us: null, ttfb_us: null, duration_us: null, reused: true };
  check({ timings: none, running: true }, { dns: [0, null], connect: [0, null], tls: [0, null], send: [0, null], wait: [0, null] });
});

test("no step is shorter than nothing", () => {
  const odd = { ...WHOLE.timings, sent_us: 1, head_us: 0 };
  for (const { durationUs } of phasesOf({ ...WHOLE, timings: odd, elapsedUs: 0 })) expect(durationUs).toBeGreaterThanOrEqual(0);
});
