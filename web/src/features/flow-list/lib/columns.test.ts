import { expect, test } from "vitest";

import { columnsAt, gridTemplate } from "./columns";

const ids = (width: number) => columnsAt(width).map(({ id }) => id);

test("columns leave in order: waterfall, tokens, usage; what is new always stays", () => {
  expect(ids(1_400)).toEqual(["time", "state", "model", "what", "usage", "tokens", "ttft", "total", "waterfall"]);
  expect(ids(800)).not.toContain("ttft");
  expect(ids(639)).not.toContain("waterfall");
  expect(ids(639)).toContain("tokens");
  expect(ids(559)).not.toContain("tokens");
  expect(ids(300)).toEqual(["time", "state", "model", "what", "total"]);
});

test("every column has one track", () => {
  for (const width of [300, 500, 600, 800, 1_000, 1_900]) {
    expect(gridTemplate(columnsAt(width)).replace(/minmax\([^)]*\)/g, "x").split(" ")).toHaveLength(ids(width).length);
  }
});
