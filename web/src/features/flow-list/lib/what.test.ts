import { expect, test } from "vitest";

import { translator } from "@/lib/i18n/i18n";
import { rowOf } from "@/testing/fixtures";

import { whatOf } from "./what";

const t = translator("en");

test("tools come first, two of them, the rest counted", () => {
  const what = whatOf(rowOf(1, { tools: ["Read", "Bash", "Edit"], preview: "go", answer: "done" }), t);
  expect(what).toEqual({ tools: ["Read", "Bash"], toolsMore: 1, text: "go", answer: "done", tone: "plain" });
});

test("a tool that is called twice stands once, with its count", () => {
  expect(whatOf(rowOf(1, { tools: ["shell", "Read", "shell"] }), t).tools).toEqual(["shell ×2", "Read"]);
});

test("a failure says its status or its end, and what was said", () => {
  const failed = (change: object) => whatOf(rowOf(1, { state: "failed", answer: null, ...change }), t).text;
  expect(failed({ status: 429, end: "upstream_error", answer: "slow down" })).toBe("429 · slow down");
  expect(failed({ status: 200, end: "upstream_break", answer: "half a sen" })).toBe("The upstream broke off · half a sen");
  expect(failed({ status: null, end: "timeout" })).toBe("A time limit passed");
  expect(failed({ status: 404, end: "blocked", dialect: null, path: "/x" })).toBe("404 · POST /x");
});

test("a cancelled flow says when the client left", () => {
  const what = whatOf(rowOf(1, { state: "cancelled", end: "client_abort", duration_us: 2_300_000, answer: "The loop" }), t);
  expect(what).toMatchObject({ text: "Client closed the stream after 2.3 s", answer: "The loop", tone: "dim" });
});

test("what no codec reads shows the wire", () => {
  expect(whatOf(rowOf(1, { dialect: null, path: "/v1/embeddings", answer: null }), t)).toMatchObject({ text: "POST /v1/embeddings", tone: "wire" });
});
