// The routes that the page uses, as the real program answers them.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { WebSocketServer } from "ws";

import { eventsOf, requestBytes, responseBytes } from "./world.mjs";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const POLICY = "default-src 'self'; connect-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };
const COOKIE = "flow_monitor_mock=yes";
const SNAPSHOT_ROWS = 200;
const HEALTHY = { gap_frames: 0, gap_bytes: 0, queued_bytes: 0, queued_events: 0, spilled_frames: 0, spilled_bytes: 0, flows_begun: 0, flows_lost: 0 };
const UPSTREAMS = ["openai", "anthropic", "gemini", "openrouter", "deepseek", "xai", "groq", "mistral", "moonshot", "qwen", "zhipu", "ollama"];

export function startServer({ world, code, token, proxyUrl, host, port }) {
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => { send(response, 500, { error: { code: "internal", message: String(error), help: null } }); });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const url = new URL(request.url, "http://x");
    if (!isSignedIn(request, token) || url.pathname !== "/api/feed") { socket.destroy(); return; }
    sockets.handleUpgrade(request, socket, head, (link) => { link.on("close", subscribe(url, (message) => { link.send(JSON.stringify(message)); })); });
  });
  let cursor = 0;

  function health() {
    return { ok: true, recording: !world.paused, capture: HEALTHY, store: { problem: null, commits: 9, commit_us_last: 900, commit_us_max: 4_000, backlog_bytes: 0, flows_not_stored: 0, flows_evicted: 0, flows_salvaged: 0, flows_unreadable: 0, notices: [] } };
  }

  function stats() {
    return { total: world.flows.length, in_flight: world.flows.filter(({ row }) => row.end === null).length };
  }

  function subscribe(url, tell) {
    const topics = (url.searchParams.get("topics") ?? "").split(",");
    const say = (topic, kind, data) => { tell({ topic, cursor: String(++cursor), kind, data }); };
    if (topics.includes("flows")) say("flows", "snapshot", { flows: world.flows.slice(-SNAPSHOT_ROWS).map(({ row }) => row) });
    if (topics.includes("stats")) say("stats", "snapshot", stats());
    if (topics.includes("health")) say("health", "snapshot", health());
    const one = topics.find((topic) => topic.startsWith("flow/"));
    if (one !== undefined && world.find(one.slice(5)) !== undefined) say(one, "snapshot", detail(world.find(one.slice(5))));
    const listener = (flow) => {
      if (flow === null) { if (topics.includes("health")) say("health", "update", health()); return; }
      if (topics.includes("flows")) say("flows", "update", { flows: [flow.row] });
      if (topics.includes("stats")) say("stats", "update", stats());
      if (one !== `flow/${flow.row.id}`) return;
      if (flow.row.end === null) say(one, "update", { flow: flow.row, exchange: flow.exchange, response: flow.reading.response });
      else say(one, "snapshot", detail(flow));
    };
    world.listeners.add(listener);
    return () => world.listeners.delete(listener);
  }

  async function handle(request, response) {
    const url = new URL(request.url, "http://x");
    if (!url.pathname.startsWith("/api/")) { await page(url.pathname, response); return; }
    if (url.pathname === "/api/session") {
      const { code: given } = await json(request);
      if (given !== code) { send(response, 401, problem("code_refused", "the code is unknown, was used, or is too old")); return; }
      response.setHeader("set-cookie", `${COOKIE}; HttpOnly; SameSite=Strict; Path=/`);
      response.writeHead(204).end();
      return;
    }
    if (url.pathname === "/api/session/link" && request.headers.authorization === `Bearer ${token}`) { send(response, 200, { url: `http://${host}:${port}/#code=${code}` }); return; }
    if (!isSignedIn(request, token)) { send(response, 401, problem("unauthorized", "this needs the token or a session")); return; }
    await api(url, request, response);
  }

  async function api(url, request, response) {
    const parts = url.pathname.split("/").slice(2);
    const query = url.searchParams;
    if (url.pathname === "/api/status") { send(response, 200, { version: "0.1.0", proxy_url: proxyUrl, ui_url: `http://${host}:${port}`, recording: !world.paused, upstreams: UPSTREAMS.map((name) => ({ name, provider: name, url: `https://api.${name}.example`, base_url: `${proxyUrl}/${name}` })), started_at: Date.now() * 1_000, data_dir: "~/.flow-monitor" }); return; }
    if (url.pathname === "/api/health") { send(response, 200, health()); return; }
    if (url.pathname === "/api/config" && request.method === "PATCH") {
      const change = await json(request);
      world.paused = change["recording.paused"] ?? world.paused;
      for (const listener of world.listeners) listener(null);
      send(response, 200, { entries: [] });
      return;
    }
    if (url.pathname === "/api/feed") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.on("close", subscribe(url, (message) => { response.write(`id: ${message.cursor}\ndata: ${JSON.stringify(message)}\n\n`); }));
      return;
    }
    if (url.pathname === "/api/flows") { send(response, 200, list(Number(query.get("limit") ?? 50), query.get("cursor"))); return; }
    const flow = parts[0] === "flows" ? world.find(parts[1]) : undefined;
    if (flow === undefined) { send(response, 404, problem("not_found", "there is no such flow")); return; }
    if (parts.length === 2) { send(response, 200, detail(flow)); return; }
    if (parts[2] === "events") {
      const from = Number(query.get("from") ?? 0);
      send(response, 200, { events: eventsOf(flow).slice(from, from + Number(query.get("limit") ?? 100)), total: flow.row.events });
      return;
    }
    const bytes = parts[2] === "request" ? requestBytes(flow.scenario) : responseBytes(flow.scenario, flow.share, flow.row.events);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const part = range === null ? bytes : bytes.subarray(Number(range[1]), Number(range[2]) + 1);
    response.writeHead(range === null ? 200 : 206, { "content-type": "application/octet-stream", "content-length": part.length });
    response.end(part);
  }

  function list(limit, after) {
    const rows = world.flows.map(({ row }) => row).sort((a, b) => b.started_at - a.started_at);
    const from = after === null ? 0 : rows.findIndex(({ id }) => id === after) + 1;
    const flows = rows.slice(from, from + limit);
    return { flows, next_cursor: from + limit < rows.length ? flows.at(-1).id : null, total: null };
  }

  return new Promise((resolve) => { server.listen(port, host, () => { port = server.address().port; resolve({ port, close: () => { server.closeAllConnections(); sockets.close(); server.close(); } }); }); });
}

async function page(path, response) {
  const name = extname(path) === "" ? "index.html" : normalize(path).replace(/^(\.\.[/\\])+/, "");
  const bytes = await readFile(join(DIST, name)).catch(() => null);
  response.setHeader("content-security-policy", POLICY);
  if (bytes === null) { send(response, 404, problem("not_found", "no such file")); return; }
  response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" });
  response.end(bytes);
}

function detail({ row, exchange, reading }) {
  return { flow: row, exchange, reading, annotations: {} };
}

function isSignedIn(request, token) {
  return (request.headers.cookie ?? "").includes(COOKIE) || request.headers.authorization === `Bearer ${token}`;
}

function problem(code, message) {
  return { error: { code, message, help: null } };
}

function send(response, status, body) {
  if (response.headersSent) { response.end(); return; }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function json(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString() || "{}");
}
