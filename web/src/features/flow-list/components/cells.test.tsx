import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { render } from "@/testing/render";
import { rowOf } from "@/testing/fixtures";

import { ModelCell } from "./cells";
import { WhatCell } from "./what-cell";

test("a row that no codec reads has no model, and no provider in its place", () => {
  const { container } = render(<ModelCell row={rowOf(1, { dialect: null, model: null, requested_model: null })} nowUs={0} />);
  screen.getByText("–");
  expect(container.textContent).not.toContain("anthropic");
});

test("a broken call shows its prompt, and its cause in the colour of failure", () => {
  render(<WhatCell row={rowOf(1, { state: "failed", end: "interrupted", status: null, preview: "fix it", answer: "the monitor stopped while it ran" })} nowUs={0} />);
  screen.getByText("fix it");
  expect(screen.getAllByText(/the monitor stopped/)).toHaveLength(1);
  expect(screen.getByText("the monitor stopped").closest(".text-fail")).not.toBeNull();
});
