import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";

import { usageOf } from "@/lib/usage";
import { render } from "@/testing/render";

import { Banner } from "./banner";
import { Button } from "./button";
import { CopyButton } from "./copy-button";
import { KeyCaps } from "./key-caps";
import { Segmented } from "./segmented";
import { StateGlyph } from "./state-glyph";
import { showToast, Toaster } from "./toast";
import { UsageBar } from "./usage-bar";
import { vendorLetter } from "./vendor-mark";

beforeEach(() => { showToast(null); });

test("the usage bar says its figures, and keeps its order", () => {
  const { container } = render(<UsageBar usage={usageOf({ input: 100, output: 20, cache_read: 60, cache_write: 10, reasoning: 5 })} size="cell" max={120} />);
  screen.getByRole("img", { name: "cache read 60, cache write 10, fresh 30, reasoning 5, output 15" });
  expect([...container.querySelectorAll("i")].map((part) => part.className.replace("usage-part kind-", ""))).toEqual(["read", "write", "fresh", "reasoning", "output"]);
});

test("an unknown usage is said to be unknown, not drawn as nothing", () => {
  const { container } = render(<UsageBar usage={usageOf({})} size="cell" />);
  screen.getByRole("img", { name: "No usage on the wire" });
  expect(container.querySelector("i")).toBeNull();
});

test("a state is told by its name; a glyph beside a word is decoration", () => {
  render(<><StateGlyph state="failed" label="failed" /><StateGlyph state="streaming" /></>);
  expect(screen.getAllByRole("img")).toHaveLength(1);
  screen.getByRole("img", { name: "failed" });
});

test("buttons do not submit forms by accident", () => {
  render(<Button>go</Button>);
  expect(screen.getByRole("button", { name: "go" }).getAttribute("type")).toBe("button");
});

test("copying makes the text only when asked, and says that it did", async () => {
  const writeText = vi.fn(() => Promise.resolve());
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
  const text = vi.fn(() => "exact");
  render(<CopyButton text={text} label="Copy" />);
  expect(text).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("button"));
  await waitFor(() => { expect(screen.getByRole("button").textContent).toContain("Copied"); });
  expect(writeText).toHaveBeenCalledWith("exact");
  vi.unstubAllGlobals();
});

test("one segment is always on", () => {
  const choose = vi.fn();
  render(<Segmented label="Theme" segments={[{ value: "a", label: "A" }, { value: "b", label: "B" }]} value="a" onChange={choose} />);
  fireEvent.click(screen.getByRole("radio", { name: "A" }));
  expect(choose).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("radio", { name: "B" }));
  expect(choose).toHaveBeenCalledWith("b");
});

test("a toast has one action and goes once it was taken", async () => {
  const run = vi.fn();
  render(<Toaster closeLabel="Close" />);
  showToast({ text: "View cleared", action: { label: "Undo", run } });
  fireEvent.click(await screen.findByRole("button", { name: "Undo" }));
  expect(run).toHaveBeenCalledOnce();
  await waitFor(() => { expect(screen.queryByText("View cleared")).toBeNull(); });
});

test("banners speak up, notes do not", () => {
  render(<><Banner tone="fail">disk full</Banner><Banner tone="plain">not read yet</Banner></>);
  expect(screen.getByRole("status").textContent).toBe("disk full");
  expect(screen.getByRole("note").textContent).toBe("not read yet");
});

test("key caps are hidden from readers; vendors have one mark", () => {
  const { container } = render(<KeyCaps name="mod+k" />);
  expect(container.querySelector("[aria-hidden]")?.textContent).toMatch(/K$/);
  expect([vendorLetter("anthropic"), vendorLetter("someone"), vendorLetter(null)]).toEqual(["A", "S", "·"]);
});
