// What the stand-in's clients and models say to each other.

const SYSTEM = `You are an interactive agent that helps with software engineering tasks.

# Tone
Be concise and direct. Explain commands that change the system before you run them.

# Doing tasks
- Understand the code before you change it.
- Write the failing test first.
- Never commit unless asked.
${"\n- Prefer small, reversible steps and say what you verified.".repeat(40)}`;

const TOOL_NAMES = ["Bash", "Read", "Edit", "Write", "Grep", "Glob", "WebFetch", "Task", "TodoWrite"];
const TOOLS = TOOL_NAMES.map((name, n) => ({
  name,
  description: `${name} does one thing and reports what it did.\nUse it with absolute paths.`,
  schema: { type: "object", properties: { path: { type: "string" }, limit: { type: "integer" } }, required: ["path"] },
  bytes: 1_200 + n * 731,
}));

const CODE = Array.from({ length: 287 }, (_, n) => `${String(n + 117).padStart(4)}  ${["while let Some(frame) = tail.next_frame()? {", "    // a torn frame ends the log", "    if frame.len() < HEADER { break; }", "    let sum = crc32c(&frame[HEADER..]);", "    if sum != frame.checksum() { break; }"][n % 5]}`).join("\n");

const ANSWER = `Line 119 is the bug: a short frame ends the scan, so every record *after* a torn one is lost, though it is intact on disk. Two cases need to be told apart:

- the torn frame is the last one: **truncate** there, as today;
- valid frames follow: skip to the next magic, count the gap, go on.

\`\`\`rust
fn resync(&mut self) -> Option<Frame> {
    self.tail.find(MAGIC).map(|at| self.frame_at(at))
}
\`\`\`

I'll write the failing test for the second case first, in \`recovery.rs\`. See https://www.sqlite.org/atomiccommit.html for the idea.`;

const THINKING = "The loop breaks on a short frame before it checks whether the bytes after it are another valid header. A test with a torn frame in the middle would show it. I should check how the segment iterator owns the tail before changing it.";

export const SCENARIOS = [
  {
    provider: "anthropic", dialect: "anthropic_messages", model: "claude-sonnet-4-5-20250929", path: "/v1/messages", stream: true,
    client: "claude-cli/2.1.329 (external, cli)", ask: "The WAL loses records after a torn write. Find out why and fix it, tests first. 注意：不要改动磁盘格式。",
    history: true, thinking: THINKING, answer: ANSWER, tool: { name: "Bash", arguments: { command: "cargo test -p flow-store recovery -- --nocapture", description: "Run the recovery tests", timeout: 120000 } },
    result: CODE, tokens: { input: 98_246, output: 1_106, cache_read: 96_400, cache_write: 1_840, reasoning: 612, total: 99_352 }, ms: 9_500, system: SYSTEM, tools: TOOLS,
  },
  {
    provider: "anthropic", dialect: "anthropic_messages", model: "claude-haiku-4-5", path: "/v1/messages", stream: true, client: "claude-cli/2.1.329 (external, cli)",
    ask: "Explore: find every call site that syncs the WAL", answer: "Eleven call sites, nine of them in `store/src/wal.rs`.", tool: { name: "Grep", arguments: { pattern: "fsync|sync_data", path: "crates/flow-store", output_mode: "files_with_matches" } },
    tokens: { input: 18_100, output: 300, cache_read: 9_400, cache_write: 5_200, total: 18_400 }, ms: 2_600, system: SYSTEM, tools: TOOLS.slice(0, 5),
  },
  {
    provider: "openai", dialect: "openai_chat", model: "gpt-5.1-codex", path: "/v1/chat/completions", stream: true, client: "OpenAI/Python 3.52.0",
    ask: "Resume the feed from Last-Event-ID without gaps or repeats", thinking: "Keep a ring of the last events; replay strictly after the id.", answer: "I keep a bounded ring of events per topic and replay what comes strictly after the id. Where the ring no longer reaches back, a `reset` tells the client to read again.",
    tool: { name: "apply_patch", arguments: { path: "src/api/feed.rs", hunks: 3 } }, tokens: { input: 35_120, output: 1_380, cache_read: 0, reasoning: 960, total: 36_500 }, ms: 6_000, tools: TOOLS.slice(0, 3), system: SYSTEM.slice(0, 400),
  },
  {
    provider: "gemini", dialect: "gemini_generate", model: "gemini-2.5-pro", path: "/v1beta/models/gemini-2.5-pro:streamGenerateContent", stream: true, client: "GeminiCLI-tui/0.61.0",
    ask: "用中文总结这份 RFC 的第三节，并列出未决问题", answer: "第三节规定了恢复流程：\n\n1. 扫描尾部的帧；\n2. 校验每一帧；\n3. 在第一处损坏之后重新同步。\n\n未决问题：**跨段的帧**如何处理，以及计数放在哪里。", thinking: "先读第三节，再列问题。",
    tokens: { input: 22_800, output: 1_400, cache_read: 0, reasoning: 800, total: 24_200 }, ms: 7_600, image: true,
  },
  {
    provider: "qwen", dialect: "openai_chat", model: "qwen3-max", path: "/compatible-mode/v1/chat/completions", stream: true, client: "OpenAI/JS 7.55.0",
    ask: "把这段错误日志归类，并给出最可能的根因和修复步骤", answer: "日志分为三类：连接超时、校验失败、磁盘已满。最可能的根因是**磁盘已满**，之后的校验失败是它的结果。", tokens: { input: 3_776, output: 312, cache_read: 1_536, total: 4_088 }, ms: 5_100,
  },
  {
    provider: "deepseek", dialect: "openai_chat", model: "deepseek-chat", path: "/chat/completions", stream: false, client: "litellm/1.106.2",
    ask: "Translate the error table into English, keep the codes", answer: "| code | meaning |\n|---|---|\n| E01 | torn frame |", tokens: { input: 12_900, output: 300, cache_read: 4_000, total: 13_200 }, ms: 4_700,
  },
  {
    provider: "openai", dialect: null, model: null, path: "/v1/embeddings", stream: false, client: "OpenAI/Python 3.52.0", ask: null, answer: null, tokens: {}, ms: 210,
  },
  {
    provider: "openai", dialect: "openai_chat", model: "gpt-5.1-codex", path: "/v1/chat/completions", stream: true, client: "OpenAI/Python 3.52.0", ask: "Count the frames", status: 429, end: "upstream_error", tokens: {}, ms: 310,
    error: { status: 429, type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached for requests per min. Try again in 1.2s.", class: "rate_limit", fault: "client", retryable: true, retry_after_us: 1_200_000 },
  },
  {
    provider: "anthropic", dialect: "anthropic_messages", model: "claude-sonnet-4-5-20250929", path: "/v1/messages", stream: true, client: "claude-cli/2.1.329 (external, cli)", ask: "Plan: replay the tail, verify each frame's checksum, truncate at the first bad one",
    answer: "First the replay loop, then the", end: "client_abort", tokens: { input: 92_000, output: 118, cache_read: 91_000, cache_write: 900, total: 92_118 }, ms: 2_300, system: SYSTEM, tools: TOOLS,
  },
  {
    provider: "gemini", dialect: "gemini_generate", model: "gemini-2.5-pro", path: "/v1beta/models/gemini-2.5-pro:generateContent", stream: false, client: "google-genai-sdk/3.4.0", ask: "检查这段 Rust 代码是否存在竞态，并说明触发条件", status: 503, end: "upstream_error", tokens: {}, ms: 5_200,
    error: { status: 503, type: "UNAVAILABLE", code: "503", message: "The model is overloaded. Please try again later.", class: "overloaded", fault: "upstream", retryable: true },
  },
  {
    provider: "ollama", dialect: "openai_chat", model: "llama3.3:70b", path: "/v1/chat/completions", stream: true, client: "aider", ask: "Is this a new topic? Answer with a title of 2–3 words.", answer: "Torn-write recovery", tokens: {}, ms: 3_800, gap: true,
  },
  {
    provider: "openai", dialect: "openai_chat", model: "gpt-5.1", path: "/v1/chat/completions", stream: true, client: "OpenAI/Python 3.52.0", ask: "<img src=x onerror=alert(1)> and <script>alert(2)</script>", answer: "That is text: <b>bold</b> [x](javascript:alert(1)) ![i](https://example.com/x.png)", end: "upstream_break", tokens: { input: 52, output: 40, total: 92 }, estimated: true, ms: 1_900,
  },
];

export const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==";
