import type { Row } from "../src/api/types";

import { expect, open, test } from "./monitor";

const SCREENS = "test-results/screens";
const wanted = (flow: Row) => flow.state === "completed" && flow.tools.length > 0 && flow.events > 0;

for (const theme of ["dark", "light"] as const) {
  test(`list, peek and page in ${theme}`, async ({ page, monitor }) => {
    await page.emulateMedia({ colorScheme: theme });
    await open(page, monitor);
    const row = await monitor.flow("a flow that calls a tool", wanted);
    await expect.poll(() => page.locator("[data-flow]").count()).toBeGreaterThan(5);
    await page.screenshot({ path: `${SCREENS}/flows-${theme}.png` });
    await page.goto(`${monitor.url}/flows?follow=off&sel=${row.id}`);
    await expect(page.getByRole("region", { name: "Conversation" })).toBeVisible();
    await page.screenshot({ path: `${SCREENS}/peek-${theme}.png` });
    await page.goto(`${monitor.url}/flows/${row.id}`);
    await expect(page.getByRole("grid", { name: "Events of the stream" })).toBeVisible();
    await page.screenshot({ path: `${SCREENS}/flow-${theme}.png` });
    const ink = await page.locator("body").evaluate((body) => getComputedStyle(body).colorScheme);
    expect(ink).toContain(theme);
  });
}

test("both languages are whole and switch without a reload", async ({ page, monitor }) => {
  await open(page, monitor);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("radio", { name: "中文" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: "请求" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await page.screenshot({ path: `${SCREENS}/flows-zh.png` });
});

test.describe("phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("two-line rows, the detail as a page, nothing wider than the screen", async ({ page, monitor }) => {
    await open(page, monitor);
    const row = page.locator("[data-flow]").first();
    await expect(row).toBeVisible();
    expect((await row.boundingBox())?.height).toBe(60);
    await page.screenshot({ path: `${SCREENS}/flows-phone.png` });
    await page.locator("[data-flow][data-state=completed]").first().tap();
    await expect(page).toHaveURL(/\/flows\/[0-9a-f-]{36}/);
    await expect(page.getByRole("region", { name: "Conversation" })).toBeVisible();
    await page.screenshot({ path: `${SCREENS}/flow-phone.png` });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});
