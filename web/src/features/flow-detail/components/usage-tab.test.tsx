import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";

import type { Cost, Detail } from "@/api/types";
import { answering, costOf, detailOf, readingOf, rowOf } from "@/testing/fixtures";
import { render } from "@/testing/render";

import { DetailHeader } from "./detail-header";
import { UsageTab } from "./usage-tab";

const shown = (reading: Partial<Detail["reading"]>, row = {}) => render(<UsageTab detail={detailOf({ flow: rowOf(1, row), reading: readingOf(reading) })} />);
const priced = (change: Partial<Cost> = {}) => shown({ cost: costOf(change) });

test("the arithmetic stands line by line, with its sum and its source", () => {
  priced({ conditions: ["batch"] });
  const [, table] = screen.getAllByRole("table");
  const rows = within(table as HTMLElement).getAllByRole("row").map((row) => [...row.children].map((cell) => cell.textContent).join(" | "));
  expect(rows).toEqual(["what | count | price | amount", "Input | 30 | × $3.00 / M | $0.000090", "Output | 20 | × $15.00 / M | $0.000300", "Sum | $0.000390"]);
  screen.getByText("anthropic/claude-sonnet-4-5");
  screen.getByText(/price table 2026-11-21/);
  screen.getByText("batch");
});

test("a doubtful sum says why", () => {
  priced({ disputed: "input 3 (litellm: 3.3)", unpriced: ["2 search"] });
  screen.getByText("sources disagree");
  screen.getByText("input 3 (litellm: 3.3)");
  screen.getByText("No price is known for: 2 Searches. The sum is without it.");
});

test("a price of one's own says so", () => {
  priced({ version: "user" });
  screen.getByText(/your own price/);
});

test("an unknown price is no amount, and says what to write where", () => {
  const { container } = shown({}, { provider: "openai", model: "gpt-x" });
  screen.getByText("Cost unknown: no price is known for gpt-x.");
  expect(screen.getByText(/\[prices\."openai\/gpt-x"\]/).tagName).toBe("PRE");
  expect(container.textContent).not.toContain("$");
});

test("credits are what they are, and have no price", () => {
  shown({ units: { credits: "0.0418273645" } });
  screen.getByText("Paid with 0.0418 credits, which have no price in dollars.");
  expect(screen.getByTitle("0.0418273645").textContent).toBe("0.0418");
});

test("an estimate is marked at every figure, and says why once", () => {
  shown({ estimated: true, cost: costOf(), context: { used_bp: 4_900, window: 200_000, from_wire: false } });
  screen.getByText(/does not have all token counts/);
  expect(screen.getAllByTitle("Estimated: the wire has no figures").length).toBeGreaterThanOrEqual(8);
});

test("the window says its share, its size and its source", () => {
  shown({ context: { used_bp: 9_230, window: 200_000, from_wire: true } });
  expect(screen.getByRole("meter", { name: "92 % of the context window" }).getAttribute("aria-valuenow")).toBe("92");
  screen.getByText("nearly full", { exact: false });
  screen.getByText("of 200,000 tokens");
  screen.getByText("told by the provider");
});

test("a gateway that counted otherwise, vectors and the tier have their lines", () => {
  const reading = answering({ usage: { input: 10 }, metrics: { input: 12 }, embeddings: { count: 3, dimensions: 1_536 }, service_tier: "flex" }, { units: { searches: 2 } });
  render(<UsageTab detail={detailOf({ reading })} />);
  screen.getByText("The gateway counted otherwise than the model.");
  screen.getByText("3 × 1,536");
  screen.getByText("flex");
  screen.getByText("Searches of the web");
});

test("the header says the cost, marks what is uncertain, and names error and attempt", () => {
  const flow = rowOf(1, { error_class: "overloaded", attempt: 3, client: "claude-code/2.1.0" });
  render(<DetailHeader detail={detailOf({ flow, reading: readingOf({ cost: costOf({ unpriced: ["1 image"] }), context: { used_bp: 4_912, window: null, from_wire: true } }) })} layout="page" actions={null} />);
  screen.getByText("$0.0004", { exact: false });
  screen.getByRole("img", { name: "not certain, see Usage" });
  screen.getByText("overloaded");
  screen.getByText("try 3");
  screen.getByText("49 %");
  screen.getByText("Anthropic Messages · claude-code/2.1.0 · anthropic · POST /v1/messages");
});
