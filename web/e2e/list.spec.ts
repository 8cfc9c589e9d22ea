import { expect, open, test } from "./monitor";

test("demo traffic appears, newest on top, and the code leaves the address", async ({ page, monitor }) => {
  await open(page, monitor);
  const rows = page.locator("[data-flow]");
  await expect.poll(() => rows.count()).toBeGreaterThan(2);
  expect(page.url()).not.toContain("code=");
  const first = await rows.first().getAttribute("data-flow");
  await expect.poll(() => rows.first().getAttribute("data-flow")).not.toBe(first);
});

test("a row in flight changes in place until it has ended", async ({ page, monitor }) => {
  await open(page, monitor);
  const running = page.locator("[data-flow][data-state=streaming]").first();
  await expect(running).toBeVisible();
  const id = (await running.getAttribute("data-flow")) ?? "";
  await expect(page.locator(`[data-flow="${id}"]`)).toHaveAttribute("data-state", /completed|failed|cancelled/, { timeout: 45_000 });
  await expect(page.locator(`[data-flow="${id}"]`)).toHaveCount(1);
});

test("keys pause the list: new flows wait, and F brings them", async ({ page, monitor }) => {
  await open(page, monitor);
  await expect(page.locator("[data-flow]").first()).toBeVisible();
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/follow=off/);
  await expect(page.getByRole("button", { name: "Not following the newest flows" })).toBeVisible();
  const top = await page.locator("[data-flow]").first().getAttribute("data-flow");
  const pill = page.getByRole("button", { name: /new flow/ });
  await expect(pill).toBeVisible();
  expect(await page.locator("[data-flow]").first().getAttribute("data-flow")).toBe(top);
  await page.keyboard.press("f");
  await expect(pill).toBeHidden();
  await expect(page).not.toHaveURL(/follow=off/);
  expect(await page.locator("[data-flow]").first().getAttribute("data-flow")).not.toBe(top);
});

test("the keyboard alone: peek, next, page, back", async ({ page, monitor }) => {
  await open(page, monitor);
  await expect.poll(() => page.locator("[data-flow]").count()).toBeGreaterThan(2);
  await page.keyboard.press("j");
  await page.keyboard.press("Space");
  await expect(page.getByRole("complementary", { name: "Flow detail" })).toBeVisible();
  const first = new URL(page.url()).searchParams.get("sel");
  await page.keyboard.press("j");
  await expect.poll(() => new URL(page.url()).searchParams.get("sel")).not.toBe(first);
  await page.keyboard.press("6");
  await expect(page.getByRole("tab", { name: "Headers" })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/flows\/[0-9a-f-]{36}/);
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/\/flows\?.*sel=/);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("complementary", { name: "Flow detail" })).toBeHidden();
});

test("the palette and the list of keys read the same commands", async ({ page, monitor }) => {
  await open(page, monitor);
  await expect(page.locator("[data-flow]").first()).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toContainText("Next flow");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("clear");
  await expect(page.getByRole("option")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page.getByText("View cleared")).toBeVisible();
  await expect(page).toHaveURL(/after=\d+/);
  await page.keyboard.press("z");
  await expect(page).not.toHaveURL(/after=/);
});

test("scrolling pages through what is stored, without a row twice", async ({ page, monitor }) => {
  await open(page, monitor);
  await expect.poll(() => page.locator("[data-flow]").count()).toBeGreaterThan(5);
  const list = page.getByRole("grid", { name: "Flows, newest first" });
  await list.evaluate((element) => { element.scrollTop = element.scrollHeight; });
  const ids = await page.locator("[data-flow]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-flow")));
  expect(new Set(ids).size).toBe(ids.length);
});
