import { expect, test } from "vitest";

import { matches } from "./match";

test("all words must be there, in any order and case", () => {
  expect(matches("Switch between light and dark", "dark SWI")).toBe(true);
  expect(matches("Switch between light and dark", "dark blue")).toBe(false);
  expect(matches("清空视图", "视图")).toBe(true);
  expect(matches("anything", "")).toBe(true);
});
