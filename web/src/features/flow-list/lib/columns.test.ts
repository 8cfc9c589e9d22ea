import { expect, test } from "vitest";

import { columnsAt, gridTemplate } from "./columns";

const ids = (width: number) => columnsAt(width).map(({ id }) => id);

test("columns leave in order: client, waterfall, cost, tokens, usage; what is new always stays", () => {
  expect(ids(1_400)).toEqual(["time", "state", "model", "client", "what", "usage", "tokens", "cost", "ttft", "total", "waterfall"]);
  expect(ids(1_039)).not.toContain("client");
  expect(ids(900)).not.toContain("ttft");
  expect(ids(759)).not.toContain("waterfall");
  expect(ids(759)).toContain("cost");
  expect(ids(639)).not.toContain("cost");
  expect(ids(639)).toContain("tokens");
  expect(ids(559)).not.toContain("tokens");
  expect(ids(300)).toEqual(["time", "state", "model", "what", "total"]);
});

test("what is new keeps room at every width", () => {
  const GAP_PX = 10;
  const EDGES_PX = 24;
  for (let width = 320; width <= 1_920; width += 1) {
    const columns = columnsAt(width);
    const fixed = columns.filter(({ id }) => id !== "what").reduce((sum, { track }) => sum + Number(/(\d+)px/.exec(track)?.[1] ?? 0), 0);
    expect(width - fixed - (columns.length - 1) * GAP_PX - EDGES_PX, `${width}`).toBeGreaterThanOrEqual(60 - (width < 480 ? 60 : 0));
  }
});

test("every column has one track", () => {
  for (const width of [300, 500, 600, 800, 1_000, 1_900]) {
    expect(gridTemplate(columnsAt(width)).replace(/minmax\([^)]*\)/g, "x").split(" ")).toHaveLength(ids(width).length);
  }
});
