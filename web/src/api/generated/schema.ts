/**
 * Shapes of the HTTP API, in the form that `npm run generate` writes from `openapi.json`.
 * Do not edit: change flow-api, then generate again.
 */
export interface components {
  schemas: {
    /** @description Token counts that mean the same in every dialect. Unknown is none, never 0. */
    Tokens: {
      input?: number | null;
      output?: number | null;
      cache_read?: number | null;
      cache_write?: number | null;
      reasoning?: number | null;
      total?: number | null;
    };
    /** @enum {string} */
    State: "pending" | "streaming" | "intercepted" | "completed" | "failed" | "cancelled";
    /** @enum {string} */
    EndReason:
      | "ended"
      | "upstream_error"
      | "client_abort"
      | "upstream_break"
      | "timeout"
      | "empty"
      | "blocked"
      | "interrupted";
    /** @enum {string} */
    Dialect: "openai_chat" | "anthropic_messages" | "gemini_generate";
    /** @enum {string} */
    StopReason: "stop" | "length" | "tool_use" | "content_filter" | "other";
    /** @enum {string} */
    Fault: "client" | "upstream" | "monitor";
    /** @enum {string} */
    Side: "request" | "response";
    /** @description The line that lists show of a flow. */
    Row: {
      id: string;
      /** Format: int64 */
      started_at: number;
      state: components["schemas"]["State"];
      end?: components["schemas"]["EndReason"] | null;
      upstream?: string | null;
      provider?: string | null;
      dialect?: components["schemas"]["Dialect"] | null;
      method: string;
      path: string;
      status?: number | null;
      model?: string | null;
      requested_model?: string | null;
      streaming: boolean;
      tokens: components["schemas"]["Tokens"];
      estimated: boolean;
      cost?: string | null;
      duration_us?: number | null;
      ttfb_us?: number | null;
      ttft_us?: number | null;
      request_bytes: number;
      response_bytes: number;
      client?: string | null;
      session?: string | null;
      thread?: string | null;
      preview?: string | null;
      answer?: string | null;
      tools: string[];
      stop?: components["schemas"]["StopReason"] | null;
      events: number;
      gap: boolean;
      truncated: boolean;
      diagnostics: boolean;
    };
    Header: { name: string; value: string; latin1?: boolean };
    Gap: { offset: number; bytes: number };
    BodyFacts: {
      coding?: string | null;
      wire_bytes: number;
      wire_sha256?: string | null;
      bytes: number;
      truncated: boolean;
      gaps?: components["schemas"]["Gap"][];
      decode_error?: string | null;
      chunks: number;
      complete: boolean;
      trailers?: components["schemas"]["Header"][];
    };
    Route: {
      upstream?: string | null;
      provider?: string | null;
      url?: string | null;
      run?: string | null;
    };
    RequestHead: {
      method: string;
      target: string;
      version: string;
      headers: components["schemas"]["Header"][];
    };
    ResponseHead: {
      status: number;
      reason?: string | null;
      version: string;
      headers: components["schemas"]["Header"][];
    };
    Timings: {
      dns_us?: number | null;
      connect_us?: number | null;
      tls_us?: number | null;
      sent_us?: number | null;
      head_us?: number | null;
      ttfb_us?: number | null;
      duration_us?: number | null;
      reused: boolean;
    };
    /** @enum {string} */
    FailureKind:
      | "no_route"
      | "refused"
      | "dns"
      | "connect"
      | "tls"
      | "timeout"
      | "reset"
      | "protocol"
      | "client_gone"
      | "stopped";
    Failure: {
      kind: components["schemas"]["FailureKind"];
      fault: components["schemas"]["Fault"];
      message: string;
    };
    Exchange: {
      id: string;
      started_at: number;
      peer?: string | null;
      route: components["schemas"]["Route"];
      request: components["schemas"]["RequestHead"];
      request_body: components["schemas"]["BodyFacts"];
      response?: components["schemas"]["ResponseHead"] | null;
      response_body: components["schemas"]["BodyFacts"];
      timings: components["schemas"]["Timings"];
      end?: components["schemas"]["EndReason"] | null;
      failure?: components["schemas"]["Failure"] | null;
    };
    Media: {
      mime?: string | null;
      url?: string | null;
      file_id?: string | null;
      data_chars?: number | null;
      data_offset?: number | null;
    };
    Part:
      | { /** @enum {string} */ kind: "text"; text: string; citations?: unknown[]; cache?: unknown }
      | { /** @enum {string} */ kind: "thinking"; text: string; signed: boolean; redacted: boolean }
      | { /** @enum {string} */ kind: "refusal"; text: string }
      | { /** @enum {string} */ kind: "image"; media: components["schemas"]["Media"] }
      | {
          /** @enum {string} */ kind: "audio";
          media: components["schemas"]["Media"];
          transcript?: string | null;
          id?: string | null;
        }
      | { /** @enum {string} */ kind: "file"; media: components["schemas"]["Media"]; name?: string | null }
      | {
          /** @enum {string} */ kind: "tool_call";
          id?: string | null;
          name: string;
          arguments: string;
          server?: boolean;
        }
      | {
          /** @enum {string} */ kind: "tool_result";
          call_id?: string | null;
          name?: string | null;
          content: components["schemas"]["Part"][];
          is_error: boolean;
          server?: boolean;
        }
      | { /** @enum {string} */ kind: "other"; name: string; raw: unknown };
    /** @enum {string} */
    Role: "system" | "user" | "assistant" | "tool" | "other";
    Message: {
      role: components["schemas"]["Role"];
      name?: string | null;
      parts: components["schemas"]["Part"][];
    };
    Tool: {
      name: string;
      description?: string | null;
      schema?: unknown;
      bytes: number;
      server?: boolean;
    };
    Diagnostic: { offset?: number | null; code: string; message: string };
    RequestReading: {
      model?: string | null;
      stream?: boolean | null;
      system: components["schemas"]["Part"][];
      messages: components["schemas"]["Message"][];
      tools: components["schemas"]["Tool"][];
      parameters: { [key: string]: unknown };
      diagnostics?: components["schemas"]["Diagnostic"][];
    };
    Choice: {
      index: number;
      message: components["schemas"]["Message"];
      stop_reason?: string | null;
      stop?: components["schemas"]["StopReason"] | null;
      logprobs?: unknown;
    };
    WireUsage: {
      input?: number | null;
      output?: number | null;
      cache_read?: number | null;
      cache_write?: number | null;
      reasoning?: number | null;
      total?: number | null;
    };
    /** @enum {string} */
    Outcome: "none" | "partial" | "ok" | "error" | "stream_error" | "stream_truncated";
    /** @enum {string} */
    ErrorClass:
      | "network"
      | "timeout"
      | "authentication"
      | "rate_limit"
      | "overloaded"
      | "quota"
      | "content_filter"
      | "bad_request"
      | "context_too_long"
      | "model_unavailable"
      | "server_error";
    ErrorReading: {
      status?: number | null;
      type?: string | null;
      code?: string | null;
      message?: string | null;
      class?: components["schemas"]["ErrorClass"] | null;
      fault?: components["schemas"]["Fault"] | null;
      retryable?: boolean | null;
      retry_after_us?: number | null;
    };
    ResponseReading: {
      outcome: components["schemas"]["Outcome"];
      streamed: boolean;
      error?: components["schemas"]["ErrorReading"] | null;
      model?: string | null;
      id?: string | null;
      choices: components["schemas"]["Choice"][];
      usage?: components["schemas"]["WireUsage"] | null;
      usage_raw?: unknown;
      block_reason?: string | null;
      events: number;
      ttft_us?: number | null;
      diagnostics?: components["schemas"]["Diagnostic"][];
    };
    Reading: {
      dialect?: components["schemas"]["Dialect"] | null;
      request: components["schemas"]["RequestReading"];
      response: components["schemas"]["ResponseReading"];
      tokens: components["schemas"]["Tokens"];
      estimated: boolean;
    };
    Detail: {
      flow: components["schemas"]["Row"];
      exchange: components["schemas"]["Exchange"];
      reading: components["schemas"]["Reading"];
      annotations: { [key: string]: unknown };
    };
    FlowPage: {
      flows: components["schemas"]["Row"][];
      next_cursor?: string | null;
      total?: number | null;
    };
    FlowProgress: {
      flow: components["schemas"]["Row"];
      exchange: components["schemas"]["Exchange"];
      response: components["schemas"]["ResponseReading"];
    };
    FlowEvent: {
      index: number;
      at_us?: number | null;
      name?: string | null;
      data: string;
      bytes: number;
      offset: number;
    };
    EventPage: { events: components["schemas"]["FlowEvent"][]; total?: number | null };
    UpstreamFacts: { name: string; provider?: string | null; url: string; base_url: string };
    Status: {
      version: string;
      proxy_url: string;
      ui_url: string;
      recording: boolean;
      upstreams: components["schemas"]["UpstreamFacts"][];
      started_at: number;
      data_dir?: string | null;
    };
    CaptureHealth: {
      queued_bytes: number;
      queued_events: number;
      spilled_frames: number;
      spilled_bytes: number;
      gap_frames: number;
      gap_bytes: number;
      flows_begun: number;
      flows_lost: number;
    };
    StoreReport: {
      problem?: string | null;
      commits: number;
      commit_us_last: number;
      commit_us_max: number;
      backlog_bytes: number;
      flows_not_stored: number;
      flows_evicted: number;
      flows_salvaged: number;
      flows_unreadable: number;
      notices: string[];
    };
    Health: {
      ok: boolean;
      recording: boolean;
      capture: components["schemas"]["CaptureHealth"];
      store: components["schemas"]["StoreReport"];
    };
    Stats: { total: number; in_flight: number };
    SessionLink: { url: string };
    FlowRows: { flows: components["schemas"]["Row"][] };
    FlowsGone: { ids: string[] };
    /** @enum {string} */
    FeedKind: "snapshot" | "update" | "gone" | "reset";
    FeedMessage: {
      topic: string;
      cursor: string;
      kind: components["schemas"]["FeedKind"];
      data: unknown;
    };
  };
}
