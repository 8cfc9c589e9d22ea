import { expect, test } from "vitest";

import { translator } from "@/lib/i18n/i18n";
import { detailOf, exchangeOf, readingOf, rowOf } from "@/testing/fixtures";

import { explain } from "./explain";

const t = translator("en");
const response = readingOf().response;

test("a good end needs no words", () => {
  expect(explain(detailOf(), t)).toEqual([]);
});

test("an error says what it means, what was said, and what helps", () => {
  const error = { status: 429, type: "rate_limit_error", code: "slow", message: "slow down", class: "rate_limit" as const, fault: "client" as const, retryable: true, retry_after_us: 1_200_000 };
  const detail = detailOf({ flow: rowOf(1, { state: "failed", end: "upstream_error" }), reading: readingOf({ response: { ...response, outcome: "error", error } }) });
  const [explained] = explain(detail, t);
  expect(explained).toMatchObject({ tone: "fail", title: "Too many requests or tokens in a short time.", said: "slow down" });
  expect(explained?.facts.map(({ name, value, wire }) => `${name}: ${value}${wire ? "*" : ""}`)).toEqual([
    "Kind: rate limit", "Caused by: the client", "Trying again: may help", "Asks to wait: 1.2 s", "Status: 429*", "Type: rate_limit_error*", "Code: slow*",
  ]);
});

test("of an error that says nothing more, nothing more is said", () => {
  const detail = detailOf({ flow: rowOf(1, { state: "failed", end: "upstream_error" }), reading: readingOf({ response: { ...response, outcome: "error", error: { message: "no" } } }) });
  expect(explain(detail, t)).toEqual([{ tone: "fail", title: "The answer is an error.", said: "no", facts: [] }]);
});

test("each way to end has its words", () => {
  const titles = (change: object, exchange = exchangeOf()) => explain(detailOf({ flow: rowOf(1, change), exchange }), t).map(({ title }) => title);
  expect(titles({ end: "client_abort", duration_us: 2_300_000 })).toEqual(["Client closed the stream after 2.3 s"]);
  expect(titles({ end: "interrupted" })).toEqual(["The monitor stopped while this was running; what had arrived is kept"]);
  const failure = { kind: "connect" as const, fault: "upstream" as const, message: "connection refused" };
  expect(explain(detailOf({ flow: rowOf(1, { end: "upstream_break" }), exchange: exchangeOf({ failure }) }), t)[0]).toMatchObject({ said: "connection refused", facts: [{ value: "the upstream" }, { value: "connecting" }] });
});

test("a stream that was cut says so beside how the flow ended", () => {
  const cut = detailOf({ flow: rowOf(1, { state: "failed", end: "upstream_break" }), reading: readingOf({ response: { ...response, outcome: "stream_truncated" } }) });
  expect(explain(cut, t).map(({ title }) => title)).toEqual(["The upstream broke off", "The stream ended without its closing event. What arrived is kept."]);
});

test("of a cancelled flow the cause comes first", () => {
  const cancelled = detailOf({ flow: rowOf(1, { state: "cancelled", end: "client_abort", duration_us: 2_300_000 }), reading: readingOf({ response: { ...response, outcome: "stream_truncated" } }) });
  expect(explain(cancelled, t).map(({ title }) => title)).toEqual(["Client closed the stream after 2.3 s", "The stream ended without its closing event. What arrived is kept."]);
});
