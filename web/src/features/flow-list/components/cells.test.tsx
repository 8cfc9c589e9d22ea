import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import type { Row } from "@/api/types";
import { render } from "@/testing/render";
import { rowOf } from "@/testing/fixtures";

import { ModelCell, TokensCell } from "./cells";
import { ClientCell } from "./client-cell";
import { CostCell } from "./cost-cell";
import { WhatCell } from "./what-cell";

const cost = (change: Partial<Row>) => render(<CostCell row={rowOf(1, change)} nowUs={0} />).container.textContent;

test("a row that no codec reads has no model, and no provider in its place", () => {
  const { container } = render(<ModelCell row={rowOf(1, { dialect: null, model: null, requested_model: null })} nowUs={0} />);
  screen.getByText("–");
  expect(container.textContent).not.toContain("anthropic");
});

test("a call without a model is told by its format", () => {
  render(<ModelCell row={rowOf(1, { dialect: "models", model: null, requested_model: null })} nowUs={0} />);
  screen.getByText("List of models");
});

test("a broken call shows its prompt, and its cause in the colour of failure", () => {
  render(<WhatCell row={rowOf(1, { state: "failed", end: "interrupted", status: null, preview: "fix it", answer: "the monitor stopped while it ran" })} nowUs={0} />);
  screen.getByText("fix it");
  expect(screen.getAllByText(/the monitor stopped/)).toHaveLength(1);
  expect(screen.getByText("the monitor stopped").closest(".text-fail")).not.toBeNull();
});

test("a cost is short, its exact amount in the title", () => {
  render(<CostCell row={rowOf(1, { cost: "0.052428" })} nowUs={0} />);
  expect(screen.getByText("$0.052").title).toBe("$0.052428");
  expect(cost({ cost: "0.0000001" })).toBe("<$0.0001");
});

test("an unknown cost is a dash and no amount; credits stand in its place", () => {
  expect(cost({})).toBe("–");
  expect(screen.getByTitle("cost unknown").textContent).toBe("–");
  expect(cost({ credits: "0.0418273645" })).toBe("0.042 cr");
  expect(cost({ dialect: "models" })).toBe("–");
  screen.getByTitle("Calls of this kind cost nothing.");
});

test("what was estimated says so to the eye and to a reader", () => {
  expect(cost({ cost: "0.5", estimated: true })).toBe("≈ about $0.500");
  render(<TokensCell row={rowOf(1, { estimated: true })} nowUs={0} />);
  expect(screen.getAllByTitle("Estimated: the wire has no figures")).toHaveLength(2);
});

test("tokens that nobody counts are not said to be unknown", () => {
  const tokens = (change: Partial<Row>) => render(<TokensCell row={rowOf(1, { tokens: {}, ...change })} nowUs={0} />).container.textContent;
  expect(tokens({})).toBe("unknown");
  expect(tokens({ dialect: "models" })).toBe("–");
});

test("the agent goes before the library, and the session shows its end", () => {
  render(<ClientCell row={rowOf(1, { agent: "claude-code", sdk: "anthropic-js", client: "claude-code/2.1.0", session: "7a1be2c4-5e11-cc41" })} nowUs={0} />);
  screen.getByText("claude-code");
  screen.getByTitle("claude-code/2.1.0 · anthropic-js");
  expect(screen.getByTitle("Session 7a1be2c4-5e11-cc41").textContent).toBe("cc41");
});

test("a client that nobody knows is called as it calls itself, or not at all", () => {
  const client = (change: Partial<Row>) => render(<ClientCell row={rowOf(1, change)} nowUs={0} />).container.textContent;
  expect(client({ sdk: "openai-python" })).toBe("openai-python");
  expect(client({ client: "curl/8.9" })).toBe("curl/8.9");
  expect(client({})).toBe("–");
});

test("a row tells its kind of call, its kind of error and its attempt", () => {
  const what = (change: Partial<Row>) => render(<WhatCell row={rowOf(1, change)} nowUs={0} />).container.textContent;
  expect(what({ dialect: "openai_embeddings", answer: null })).toBe("embedquestion 1");
  expect(what({ state: "failed", end: "upstream_error", status: 429, error_class: "rate_limit", attempt: 2, answer: "slow down" })).toBe("rate limittry 2429 · slow down");
  expect(what({ attempt: 1, answer: null })).toBe("question 1");
});
