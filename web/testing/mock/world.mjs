// Flows that exist, and flows that are being played.
import { PIXEL, SCENARIOS } from "./scenarios.mjs";

const NOW_US = () => Date.now() * 1_000;
const STEP_MS = 100;
const GAP_MS = 1_500;
const BIG_EVENTS = 12_000;

let lastId = 0;

function newId(atUs) {
  const time = Math.floor(atUs / 1_000).toString(16).padStart(12, "0");
  lastId += 1;
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${lastId.toString(16).padStart(12, "0")}`;
}

const text = (words) => ({ kind: "text", text: words });

function requestOf(scenario) {
  const messages = [];
  if (scenario.history === true) {
    for (let turn = 0; turn < 12; turn += 1) {
      messages.push({ role: "user", parts: [text(`Step ${turn + 1}: look at the segment reader and say what you see.`)] });
      messages.push({ role: "assistant", parts: [text("The build stops on a borrow in `recover()`. I’ll look at how the segment iterator owns the tail."), { kind: "tool_call", id: `call_${turn}`, name: "Read", arguments: JSON.stringify({ path: "store/src/segment.rs" }) }] });
      if (turn < 11) messages.push({ role: "user", parts: [{ kind: "tool_result", call_id: `call_${turn}`, content: [text("ok")], is_error: false }] });
    }
    messages.push({ role: "user", parts: [{ kind: "tool_result", call_id: "call_11", name: "Read", content: [text(scenario.result)], is_error: false }, { ...text(scenario.ask), cache: { type: "ephemeral" } }] });
  } else if (scenario.ask !== null) {
    const parts = [text(scenario.ask)];
    if (scenario.image === true) parts.unshift({ kind: "image", media: { mime: "image/png", data_chars: PIXEL.length, data_offset: 10 } });
    messages.push({ role: "user", parts });
  }
  return { model: scenario.model, stream: scenario.stream, system: scenario.system ? [text(scenario.system)] : [], messages, tools: scenario.tools ?? [], parameters: { max_tokens: 32_000, temperature: 1 } };
}

/** The answer after a share of it has arrived. */
function responseOf(scenario, share, events) {
  const failed = scenario.error !== undefined;
  const parts = [];
  const whole = [scenario.thinking ?? "", scenario.answer ?? "", scenario.tool ? JSON.stringify(scenario.tool.arguments) : ""];
  let left = Math.ceil(whole.join("").length * share);
  const take = (words) => { const taken = words.slice(0, left); left -= taken.length; return taken; };
  if (scenario.thinking) { const said = take(whole[0]); if (said) parts.push({ kind: "thinking", text: said, signed: share === 1, redacted: false }); }
  if (scenario.answer) { const said = take(whole[1]); if (said) parts.push(text(said)); }
  if (scenario.tool) { const said = take(whole[2]); if (said) parts.push({ kind: "tool_call", id: "toolu_01Kx4", name: scenario.tool.name, arguments: said }); }
  const done = share === 1 && scenario.end === undefined;
  const stop = scenario.tool ? "tool_use" : "stop";
  return {
    outcome: failed ? "error" : scenario.end === "upstream_break" && share === 1 ? "stream_truncated" : done ? "ok" : "partial",
    streamed: scenario.stream && !failed, error: failed ? scenario.error : null, model: failed || share === 0 ? null : scenario.model, id: "msg_01",
    choices: parts.length === 0 ? [] : [{ index: 0, message: { role: "assistant", parts }, stop_reason: done ? (scenario.tool ? "tool_use" : "end_turn") : null, stop: done ? stop : null }],
    usage: null, usage_raw: null, events, ttft_us: scenario.stream && share > 0 && !failed ? ttft(scenario) : null,
  };
}

const ttft = (scenario) => Math.round(scenario.ms * 190);

export function makeFlow(scenario, startedUs, share, { events = 0 } = {}) {
  const streaming = scenario.stream && scenario.error === undefined && scenario.dialect !== null;
  const ended = share === 1;
  const end = ended ? (scenario.end ?? "ended") : null;
  const state = end === null ? (share === 0 ? "pending" : "streaming") : end === "ended" ? "completed" : end === "client_abort" ? "cancelled" : "failed";
  const count = streaming ? (events || Math.ceil(60 * share)) : 0;
  const request = requestOf(scenario);
  const response = responseOf(scenario, share, count);
  const tokens = ended || scenario.dialect === "anthropic_messages" ? { ...scenario.tokens, ...(ended ? {} : { output: null, total: null, reasoning: null }) } : {};
  const us = scenario.ms * 1_000;
  const head = Math.round(us * 0.17);
  const headers = [{ name: "content-type", value: streaming ? "text/event-stream; charset=utf-8" : "application/json" }, { name: "request-id", value: "req_011CVk7bq" }];
  const status = share === 0 ? null : (scenario.status ?? 200);
  const requestBody = requestBytes(scenario);
  const responseBody = responseBytes(scenario, share, count);
  const id = newId(startedUs);
  const body = (bytes, complete) => ({ coding: null, wire_bytes: bytes, wire_sha256: null, bytes, truncated: false, chunks: count || 1, complete });
  const row = {
    id, started_at: startedUs, state, end, upstream: scenario.provider, provider: scenario.provider, dialect: scenario.dialect, method: "POST", path: scenario.path, status,
    model: response.model ?? scenario.model, requested_model: scenario.model, streaming, tokens, estimated: scenario.estimated === true, cost: null,
    duration_us: ended ? us : null, ttfb_us: share > 0 ? head : null, ttft_us: response.ttft_us, request_bytes: requestBody.length, response_bytes: responseBody.length,
    client: scenario.client, session: null, thread: null, preview: scenario.ask?.slice(0, 200) ?? null,
    answer: scenario.error?.message ?? (response.choices[0]?.message.parts.findLast((part) => part.kind === "text")?.text.slice(0, 200).replace(/\s+/g, " ") ?? null),
    tools: scenario.tool && response.choices[0]?.message.parts.some((part) => part.kind === "tool_call") ? [scenario.tool.name] : [], stop: response.choices[0]?.stop ?? null, events: count,
    gap: scenario.gap === true, truncated: false, diagnostics: false,
  };
  const exchange = {
    id, started_at: startedUs, peer: "127.0.0.1:52114", route: { upstream: scenario.provider, provider: scenario.provider, url: `https://api.${scenario.provider}.example${scenario.path}`, run: null },
    request: { method: "POST", target: `/${scenario.provider}${scenario.path}`, version: "HTTP/1.1", headers: [{ name: "x-api-key", value: "redacted-9f3a-1b2c3d4e5f60" }, { name: "anthropic-version", value: "2023-06-01" }, { name: "user-agent", value: scenario.client }, { name: "content-type", value: "application/json" }, { name: "accept-encoding", value: "gzip, deflate, br" }] },
    request_body: body(requestBody.length, true), response: share === 0 ? null : { status, reason: status === 200 ? "OK" : "Too Many Requests", version: "HTTP/2.0", headers },
    response_body: { ...body(responseBody.length, ended && scenario.end === undefined), ...(scenario.gap ? { gaps: [{ offset: 10, bytes: 4_096 }, { offset: 9_000, bytes: 4_000 }] } : {}) },
    timings: { dns_us: 1_100, connect_us: 9_300, tls_us: 14_200, sent_us: 41_000, head_us: share > 0 ? head : null, ttfb_us: share > 0 ? head - 41_000 : null, duration_us: ended ? us : null, reused: false },
    end, failure: end === "upstream_break" ? { kind: "reset", fault: "upstream", message: "connection to api.openai.example was reset after 1.9 s" } : null,
  };
  return { scenario, share, row, exchange, reading: { dialect: scenario.dialect, request, response, tokens, estimated: scenario.estimated === true } };
}

export function requestBytes(scenario) {
  if (scenario.image === true) return Buffer.from(`{"image":"${PIXEL}","contents":[{"text":${JSON.stringify(scenario.ask)}}]}`);
  return Buffer.from(JSON.stringify({ model: scenario.model, max_tokens: 32_000, stream: scenario.stream, system: scenario.system ?? null, tools: (scenario.tools ?? []).map(({ name, description, schema }) => ({ name, description, input_schema: schema })), messages: [{ role: "user", content: scenario.ask }, ...(scenario.result ? [{ role: "user", content: scenario.result.repeat(8) }] : [])] }));
}

export function eventsOf(flow) {
  const said = `${flow.scenario.thinking ?? ""}${flow.scenario.answer ?? ""}`;
  const size = Math.max(1, Math.ceil(said.length / Math.max(1, flow.row.events)));
  let offset = 0;
  return Array.from({ length: flow.row.events }, (_, index) => {
    const name = index === 0 ? "message_start" : index === flow.row.events - 1 && flow.row.end !== null ? "message_stop" : "content_block_delta";
    const data = JSON.stringify(index === 0 ? { type: "message_start", message: { model: flow.row.model, usage: { input_tokens: 6, cache_read_input_tokens: 96_400 } } } : { type: name, delta: { type: "text_delta", text: said.slice(index * size, (index + 1) * size) } });
    const bytes = data.length + name.length + 16;
    const event = { index, at_us: (flow.row.ttft_us ?? 0) + Math.round((index / Math.max(1, flow.row.events)) * flow.scenario.ms * 800) + (index === 30 ? 400_000 : 0), name, data, bytes, offset };
    offset += bytes;
    return event;
  });
}

export function responseBytes(scenario, share, events) {
  if (scenario.error) return Buffer.from(JSON.stringify({ error: { message: scenario.error.message, type: scenario.error.type } }));
  if (scenario.dialect === null) return Buffer.from(JSON.stringify({ object: "list", data: [{ embedding: Array.from({ length: 1536 }, (_, n) => n / 1536) }] }));
  const said = (scenario.answer ?? "").slice(0, Math.ceil((scenario.answer ?? "").length * share));
  if (!scenario.stream) return Buffer.from(JSON.stringify({ choices: [{ message: { role: "assistant", content: said } }] }));
  return Buffer.from(Array.from({ length: events }, (_, n) => `event: content_block_delta\ndata: ${JSON.stringify({ index: n, text: said.slice(n * 8, n * 8 + 8) })}\n\n`).join(""));
}

/** All flows, newest last, and the traffic that adds to them. */
export class World {
  flows = [];
  listeners = new Set();
  paused = false;
  #timers = [];

  constructor(stored) {
    for (let n = stored; n > 0; n -= 1) this.flows.push(makeFlow(SCENARIOS[n % SCENARIOS.length], NOW_US() - n * 7_300_000 - 12_000_000, 1));
    if (stored > 0) this.flows.push(makeFlow({ ...SCENARIOS[0], ask: "A stream of twelve thousand events" }, NOW_US() - 11_000_000, 1, { events: BIG_EVENTS }));
  }

  /** Plays one scenario after another at a human pace. */
  play() {
    let next = 0;
    this.#timers.push(setInterval(() => {
      if (this.paused) return;
      this.#run(SCENARIOS[next % SCENARIOS.length]);
      next += 1;
    }, GAP_MS));
  }

  stop() {
    for (const timer of this.#timers) clearInterval(timer);
  }

  find(id) {
    return this.flows.find((flow) => flow.row.id === id);
  }

  #run(scenario) {
    const startedUs = NOW_US();
    const first = makeFlow(scenario, startedUs, 0);
    const { id } = first.row;
    this.flows.push(first);
    this.#tell(first);
    const timer = setInterval(() => {
      const passed = (NOW_US() - startedUs) / 1_000;
      const share = Math.max(0, Math.min(1, (passed - scenario.ms * 0.19) / (scenario.ms * 0.81)));
      const flow = makeFlow(scenario, startedUs, share);
      flow.row.id = flow.exchange.id = id;
      this.flows[this.flows.findIndex(({ row }) => row.id === id)] = flow;
      this.#tell(flow);
      if (share === 1) clearInterval(timer);
    }, STEP_MS);
    this.#timers.push(timer);
  }

  #tell(flow) {
    for (const listener of this.listeners) listener(flow);
  }
}
