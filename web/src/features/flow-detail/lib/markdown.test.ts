import { expect, test } from "vitest";

import { parseInlines, parseMarkdown } from "./markdown";

function kinds(source: string): string {
  return parseMarkdown(source).map((block) => block.kind).join(" ");
}

test("blocks of an ordinary answer", () => {
  const source = "# Plan\nTwo cases:\n\n- one\n  still one\n  - below\n- two\n\n```rust\nfn a() {}\n\n```\n> said\n\n1. first\n---\nend";
  expect(kinds(source)).toBe("heading paragraph list code quote list rule paragraph");
  expect(parseMarkdown(source)[2]).toMatchObject({
    ordered: false,
    items: [
      { depth: 0, inlines: [{ kind: "text", text: "one\nstill one" }] },
      { depth: 1, inlines: [{ kind: "text", text: "below" }] },
      { depth: 0, inlines: [{ kind: "text", text: "two" }] },
    ],
  });
  expect(parseMarkdown(source)[3]).toEqual({ kind: "code", language: "rust", text: "fn a() {}\n", open: false });
});

test("a fence that is still being streamed is code already", () => {
  expect(parseMarkdown("```py\nprint(")).toEqual([{ kind: "code", language: "py", text: "print(", open: true }]);
});

test("inline marks", () => {
  expect(parseInlines("a `b*c*` **d** *e* [f](https://x.y/z) g*h*i")).toEqual([
    { kind: "text", text: "a " }, { kind: "code", text: "b*c*" }, { kind: "text", text: " " }, { kind: "strong", text: "d" },
    { kind: "text", text: " " }, { kind: "em", text: "e" }, { kind: "text", text: " " },
    { kind: "link", text: "f", href: "https://x.y/z" }, { kind: "text", text: " g*h*i" },
  ]);
  expect(parseInlines("见 https://a.b/c。")).toEqual([
    { kind: "text", text: "见 " }, { kind: "link", text: "https://a.b/c", href: "https://a.b/c" }, { kind: "text", text: "。" },
  ]);
});

test("what could run or load stays text", () => {
  for (const source of ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](data:text/html,1)", "<img src=x onerror=alert(1)>"]) {
    expect(parseMarkdown(source)).toEqual([{ kind: "paragraph", inlines: [{ kind: "text", text: source }] }]);
  }
});

test("no character is lost", () => {
  const source = "**open `and` *never closed\nhttps://x.y, [a](b) ** ` `` ```";
  const text = parseInlines(source).map((inline) => inline.text).join("");
  expect(text.replaceAll("`", "")).toBe(source.replaceAll("`", ""));
});

test("hostile repeats take no time", () => {
  const begin = performance.now();
  for (const piece of ["*", "**", "`", "[", "[a](", "https://", "> ", "- ", "# "]) parseMarkdown(piece.repeat(20_000));
  expect(performance.now() - begin).toBeLessThan(3_000);
});
