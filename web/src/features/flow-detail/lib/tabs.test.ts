import { expect, test } from "vitest";

import { MAIN_TABS, SIDE_TABS, TABS, tabKey } from "./tabs";

test("one order everywhere, and keys count through it", () => {
  expect(TABS).toEqual(["conversation", "request", "response", "events", "usage", "headers", "timing"]);
  expect([...MAIN_TABS, ...SIDE_TABS]).toEqual(TABS);
  expect([...MAIN_TABS, ...SIDE_TABS].map(tabKey)).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
});
