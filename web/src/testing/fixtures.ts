/** Small facts for tests: a row, an exchange, a reading, with what the test cares about put in place. */
import type { BodyFacts, Cost, Detail, Exchange, FeedMessage, Reading, ResponseReading, Row } from "@/api/types";

const STARTED_AT = 1_795_000_000_000_000;

/** A row whose start and id follow its number: greater is newer. */
export function rowOf(n: number, change: Partial<Row> = {}): Row {
  return {
    id: `0193a2b4-0000-7000-8000-${String(n).padStart(12, "0")}`,
    started_at: STARTED_AT + n * 1_000_000,
    state: "completed",
    end: "ended",
    upstream: "anthropic",
    provider: "anthropic",
    dialect: "anthropic_messages",
    method: "POST",
    path: "/v1/messages",
    status: 200,
    model: "claude-sonnet-4-5",
    requested_model: "claude-sonnet-4-5",
    streaming: true,
    tokens: { input: 100, output: 20, cache_read: 60, cache_write: 10, reasoning: null, total: 120 },
    estimated: false,
    cost: null,
    duration_us: 2_000_000,
    ttfb_us: 300_000,
    ttft_us: 400_000,
    request_bytes: 4_000,
    response_bytes: 900,
    client: null,
    agent: null,
    sdk: null,
    attempt: null,
    error_class: null,
    credits: null,
    session: null,
    thread: null,
    preview: `question ${n}`,
    answer: `answer ${n}`,
    tools: [],
    stop: "stop",
    events: 12,
    gap: false,
    truncated: false,
    diagnostics: false,
    ...change,
  };
}

export function messageOf(kind: FeedMessage["kind"], data: unknown, cursor = "1"): FeedMessage {
  return { topic: "flows", cursor, kind, data };
}

export function bodyOf(change: Partial<BodyFacts> = {}): BodyFacts {
  return { coding: null, wire_bytes: 100, wire_sha256: null, bytes: 100, truncated: false, chunks: 1, complete: true, ...change };
}

export function exchangeOf(change: Partial<Exchange> = {}): Exchange {
  return {
    id: rowOf(1).id,
    started_at: STARTED_AT,
    peer: "127.0.0.1:50000",
    route: { upstream: "anthropic", provider: "anthropic", url: "https://api.anthropic.com/v1/messages", run: null },
    request: { method: "POST", target: "/anthropic/v1/messages", version: "HTTP/1.1", headers: [] },
    request_body: bodyOf(),
    response: { status: 200, reason: "OK", version: "HTTP/1.1", headers: [] },
    response_body: bodyOf(),
    timings: { dns_us: 1_000, connect_us: 2_000, tls_us: 3_000, sent_us: 20_000, head_us: 300_000, ttfb_us: 280_000, duration_us: 2_000_000, reused: false },
    end: "ended",
    failure: null,
    ...change,
  };
}

export function readingOf(change: Partial<Reading> = {}): Reading {
  return {
    dialect: "anthropic_messages",
    request: { model: "claude-sonnet-4-5", stream: true, system: [], messages: [], tools: [], parameters: {} },
    response: { outcome: "ok", streamed: true, model: "claude-sonnet-4-5", id: null, choices: [], usage: null, usage_raw: null, events: 0, ttft_us: 400_000 },
    tokens: { input: 100, output: 20, cache_read: 60, cache_write: 10, reasoning: null, total: 120 },
    estimated: false,
    client: {},
    ...change,
  };
}

/** A reading whose answer has these facts. */
export function answering(response: Partial<ResponseReading>, change: Partial<Reading> = {}): Reading {
  const reading = readingOf(change);
  return { ...reading, response: { ...reading.response, ...response } };
}

export function costOf(change: Partial<Cost> = {}): Cost {
  return {
    total: "0.00039",
    lines: [
      { what: "input", count: 30, price: "3", per: 1_000_000, amount: "0.00009" },
      { what: "output", count: 20, price: "15", per: 1_000_000, amount: "0.0003" },
    ],
    price: "anthropic/claude-sonnet-4-5",
    version: "2026-11-21",
    ...change,
  };
}

export function detailOf(change: Partial<Detail> = {}): Detail {
  return { flow: rowOf(1), exchange: exchangeOf(), reading: readingOf(), annotations: {}, ...change };
}
