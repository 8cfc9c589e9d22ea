import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "@playwright/test";

import { expect, open, test } from "./monitor";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong on the page as it stands. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: () => Promise<AxeResults> } };
    const results = await axe.run();
    return results.violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html ?? ""}`);
  });
}

for (const theme of ["dark", "light"] as const) {
  test(`axe finds nothing in ${theme}`, async ({ page, monitor }) => {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await open(page, monitor);
    await expect.poll(() => page.locator("[data-flow]").count()).toBeGreaterThan(3);
    expect(await violations(page)).toEqual([]);
    const row = await monitor.flow("a flow that calls a tool", (flow) => flow.state === "completed" && flow.tools.length > 0 && flow.events > 0);
    for (const tab of ["conversation", "request", "events", "headers", "timing"]) {
      await page.goto(`${monitor.url}/flows?follow=off&sel=${row.id}&tab=${tab}`);
      await expect(page.getByRole("tabpanel")).not.toBeEmpty();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      expect(await violations(page), tab).toEqual([]);
    }
    await page.goto(`${monitor.url}/flows/${row.id}`);
    await expect(page.getByRole("grid", { name: "Events of the stream" })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("option").first()).toBeVisible();
    expect(await violations(page)).toEqual([]);
  });
}
