import { fireEvent, screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { render } from "@/testing/render";

import { RawBox } from "./raw-box";
import { RawList } from "./raw-list";

test("a short raw part is open as names and values, and as it came on demand", () => {
  const { container } = render(<RawBox name="moderation" raw={{ flagged: true, scores: { hate: 0.25 } }} />);
  screen.getByText("scores.hate");
  fireEvent.click(screen.getByRole("button", { name: "Raw" }));
  expect(container.querySelector("pre")?.textContent).toContain('"hate": 0.25');
});

test("a long raw part is closed and says its size", () => {
  render(<RawBox name="novelty" raw={{ id: "n-1", text: "x".repeat(3_000) }} />);
  const head = screen.getByRole("button", { name: /novelty.*n-1.*3\.0 KB/ });
  expect(head.getAttribute("aria-expanded")).toBe("false");
  fireEvent.click(head);
  screen.getByText("text");
});

test("a list shows its beginning, opens one by one, and shows all on demand", () => {
  render(<RawList name="model" raws={Array.from({ length: 57 }, (_, at) => ({ id: `m-${at}`, owner: "o" }))} />);
  expect(screen.getAllByRole("listitem")).toHaveLength(40);
  fireEvent.click(screen.getByRole("button", { name: "m-3" }));
  screen.getByText("owner");
  fireEvent.click(screen.getByRole("button", { name: "+ 17 entries" }));
  expect(screen.getAllByRole("listitem")).toHaveLength(57);
});
