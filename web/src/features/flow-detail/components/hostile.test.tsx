import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import type { Part } from "@/api/types";
import { answering, costOf, detailOf, rowOf } from "@/testing/fixtures";
import { render } from "@/testing/render";

import { ClientSection } from "./client-section";
import { Ending } from "./ending";
import { PartBody } from "./part-view";
import { RawList } from "./raw-list";
import { UsageTab } from "./usage-tab";

const HOSTILE = `<img src=x onerror="alert(1)"><script>alert(2)</script><svg onload=alert(3)> [x](javascript:alert(4)) ![y](https://evil.example/y.png) <style>*{}</style>`;

const PARTS: Part[] = [
  { kind: "text", text: HOSTILE },
  { kind: "thinking", text: HOSTILE, signed: false, redacted: false },
  { kind: "refusal", text: HOSTILE },
  { kind: "tool_call", id: HOSTILE, name: HOSTILE, arguments: JSON.stringify({ [HOSTILE]: HOSTILE }) },
  { kind: "tool_call", id: null, name: "x", arguments: HOSTILE },
  { kind: "tool_result", call_id: HOSTILE, content: [{ kind: "text", text: HOSTILE }], is_error: true },
  { kind: "image", media: { mime: HOSTILE, url: "https://evil.example/z.png", data_chars: 4, data_offset: 0 } },
  { kind: "audio", media: { mime: "audio/wav", url: null }, transcript: HOSTILE },
  { kind: "file", media: { file_id: HOSTILE }, name: HOSTILE },
  { kind: "other", name: HOSTILE, raw: { html: HOSTILE } },
];

test.each(PARTS.map((part): [string, Part] => [part.kind, part]))("a hostile %s is drawn as text and loads nothing", (_, part) => {
  const { container } = render(<PartBody part={part} flow="f" side="request" live={false} />);
  expect(container.querySelectorAll("script, img, style, iframe, object, embed, link, [onerror], [onload]")).toHaveLength(0);
  for (const link of container.querySelectorAll("a")) {
    expect(link.getAttribute("href")).toMatch(/^https?:/);
    expect(link.getAttribute("rel")).toContain("noopener");
  }
});

test("a client that names itself in markup, and an error that says it, are text", () => {
  const reading = answering(
    { outcome: "error", error: { type: HOSTILE, code: HOSTILE, message: HOSTILE }, diagnostics: [{ code: HOSTILE, message: HOSTILE, offset: 1 }], service_tier: HOSTILE },
    { client: { agent: { name: HOSTILE, version: HOSTILE }, session: HOSTILE, request: HOSTILE, other: HOSTILE }, cost: costOf({ price: HOSTILE, conditions: [HOSTILE], disputed: HOSTILE, unpriced: [HOSTILE] }) },
  );
  const detail = detailOf({ flow: rowOf(1, { state: "failed", end: "upstream_error", client: HOSTILE }), reading });
  const { container } = render(<><Ending detail={detail} waiting={false} onPlace={() => undefined} /><ClientSection detail={detail} /><UsageTab detail={detail} /><RawList name={HOSTILE} raws={[HOSTILE, { id: HOSTILE }]} /></>);
  expect(container.querySelectorAll("script, img, style, iframe, a, [onerror], [onload]")).toHaveLength(0);
  expect(container.textContent).toContain(HOSTILE);
});

test("a tool call shows its arguments as key and value", () => {
  render(<PartBody part={{ kind: "tool_call", id: "c1", name: "Bash", arguments: '{"command":"ls","timeout":120000}' }} flow="f" side="response" live={false} />);
  screen.getByText("command");
  screen.getByText("120000");
  screen.getByRole("button", { name: "Raw" });
});

test("withheld thinking says so", () => {
  render(<PartBody part={{ kind: "thinking", text: "", signed: true, redacted: true }} flow="f" side="response" live={false} />);
  screen.getByText("Thinking withheld by the provider");
});

test("hidden characters are drawn as markers, in prose and in code", () => {
  const { container } = render(<PartBody part={{ kind: "text", text: "a\u202eb `c\u200b\u200bd`" }} flow="f" side="request" live={false} />);
  expect([...container.querySelectorAll("[data-hidden]")].map((marker) => marker.textContent)).toEqual(["U+202E", "U+200B×2"]);
  expect(container.textContent).not.toMatch(/[\u202e\u200b]/);
});

test("a paragraph too long for prose shows its beginning and its size", () => {
  const { container } = render(<PartBody part={{ kind: "text", text: "中文 very long line ".repeat(20_000) }} flow="f" side="request" live={false} />);
  expect((container.textContent ?? "").length).toBeLessThan(3_000);
  screen.getByRole("button", { name: /\+ 1 line/ });
});
