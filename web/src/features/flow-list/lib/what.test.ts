import { expect, test } from "vitest";

import { translator } from "@/lib/i18n/i18n";
import { rowOf } from "@/testing/fixtures";

import { whatOf } from "./what";

const t = translator("en");

test("tools come first, two of them, the rest counted", () => {
  const what = whatOf(rowOf(1, { tools: ["Read", "Bash", "Edit"], preview: "go", answer: "done" }), t);
  expect(what).toEqual({ tools: ["Read", "Bash"], toolsMore: 1, text: "go", cause: "", answer: "done", tone: "plain" });
});

test("a tool that is called twice stands once, with its count", () => {
  expect(whatOf(rowOf(1, { tools: ["shell", "Read", "shell"] }), t).tools).toEqual(["shell ×2", "Read"]);
});

test("a failure says its status or its end, and what was said", () => {
  const failed = (change: object) => whatOf(rowOf(1, { state: "failed", answer: null, preview: null, ...change }), t).text;
  expect(failed({ status: 429, end: "upstream_error", answer: "slow down" })).toBe("429 · slow down");
  expect(failed({ status: 200, end: "upstream_break", answer: "half a sen" })).toBe("The upstream broke off · half a sen");
  expect(failed({ status: null, end: "timeout" })).toBe("A time limit passed");
  expect(failed({ status: 404, end: "blocked", dialect: null, path: "/x" })).toBe("404 · POST /x");
});

test("a cancelled flow says when the client left", () => {
  const what = whatOf(rowOf(1, { state: "cancelled", end: "client_abort", duration_us: 2_300_000, answer: "The loop" }), t);
  expect(what).toMatchObject({ text: "question 1", cause: "Client closed the stream after 2.3 s", answer: "The loop", tone: "dim" });
});

test("what no codec reads shows the wire", () => {
  expect(whatOf(rowOf(1, { dialect: null, path: "/v1/embeddings", answer: null }), t)).toMatchObject({ text: "POST /v1/embeddings", tone: "wire" });
});

test("a call that broke keeps its prompt, and the cause follows", () => {
  const broken = (change: object) => whatOf(rowOf(1, { state: "failed", answer: null, preview: "fix it", ...change }), t);
  expect(broken({ end: "upstream_break", answer: "connection reset" })).toMatchObject({ text: "fix it", cause: "The upstream broke off · connection reset", answer: "", tone: "failed" });
  expect(broken({ end: "timeout", dialect: null, path: "/x" })).toMatchObject({ text: "POST /x", cause: "A time limit passed" });
  expect(broken({ end: "interrupted", status: null, answer: "the monitor stopped while the exchange was running" })).toMatchObject({ text: "fix it", cause: "the monitor stopped", answer: "" });
  expect(broken({ end: "interrupted", preview: null, answer: "the monitor stopped while the exchange was running" })).toMatchObject({ text: "the monitor stopped", cause: "" });
});

test("an error status stays first, with what was said", () => {
  const what = whatOf(rowOf(1, { state: "failed", status: 429, end: "upstream_error", preview: "fix it", answer: "slow down" }), t);
  expect(what).toMatchObject({ text: "429 · slow down", cause: "", answer: "" });
});
