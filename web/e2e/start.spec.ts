import { expect, Monitor, test } from "./monitor";

test.use({ allowed: /401|ERR_CONNECTION_REFUSED|WebSocket|EventSource|Failed to load resource/ });

test("the first start wires a client up and waits", async ({ page }) => {
  const monitor = await Monitor.start("serve");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(await monitor.link());
  await expect(page.getByRole("heading", { name: "Waiting for the first call" })).toBeVisible();
  await expect(page.getByText(/export ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/anthropic/)).toBeVisible();
  await page.getByRole("tab", { name: "Codex" }).click();
  await expect(page.getByText(/codex -c 'openai_base_url="http:\/\/127\.0\.0\.1:\d+\/openai\/v1"'/)).toBeVisible();
  expect(await page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor)).toBe("rgb(14, 16, 19)");
  await page.screenshot({ path: "test-results/screens/empty-dark.png" });
  await monitor.stop();
  await expect(page.getByText(/Live feed lost, trying again in \d+ s/)).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Main" }).first()).toContainText("Live feed lost");
});

test("without a session the page says how to get in; the token does", async ({ page, monitor }) => {
  await page.goto(monitor.url);
  await expect(page.getByText("flow-monitor token --link")).toBeVisible();
  await expect(page.getByText("--data-dir DIR").first()).toBeVisible();
  await expect(page.getByLabel("Or paste the link or the token here")).toBeFocused();
  await page.getByLabel("Or paste the link or the token here").fill(monitor.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.locator("[data-flow]").first()).toBeVisible();
});

test("recording can be paused and resumed from the page", async ({ page, monitor }) => {
  await page.goto(await monitor.link());
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Pause recording" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByText("Recording is paused.")).toBeVisible();
  await page.getByRole("button", { name: "Resume recording" }).click();
  await expect(page.getByText("Recording is paused.")).toBeHidden();
});
