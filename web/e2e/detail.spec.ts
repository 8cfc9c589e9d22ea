import { expect, open, test } from "./monitor";

test("live text grows while it streams", async ({ page, monitor }) => {
  await open(page, monitor);
  // One that has just begun, so that it still grows when the page is there.
  const isYoung = (flow: { started_at: number }) => Date.now() * 1000 - flow.started_at < 800_000;
  const row = await monitor.flow("a flow that streams", (flow) => flow.state === "streaming" && flow.dialect != null && flow.streaming && isYoung(flow));
  await page.goto(`${monitor.url}/flows?follow=off&sel=${row.id}`);
  const talk = page.getByRole("region", { name: "Conversation" });
  const length = async () => (await talk.innerText()).length;
  await expect(talk).toBeVisible();
  const before = await length();
  await expect.poll(length).toBeGreaterThan(before);
});

test("rebuilt text, tool call with its arguments, and usage", async ({ page, monitor }) => {
  await open(page, monitor);
  const row = await monitor.flow("a flow that calls a tool", (flow) => flow.state === "completed" && flow.tools.length > 0 && flow.tokens.input != null && flow.events > 0);
  await page.goto(`${monitor.url}/flows/${row.id}`);
  const talk = page.getByRole("region", { name: "Conversation" });
  await talk.evaluate((element) => { element.scrollTop = element.scrollHeight; });
  await expect(talk).toContainText(row.tools[0] ?? "");
  await expect(talk.getByRole("button", { name: "Raw" }).last()).toBeVisible();
  await expect(page.getByRole("img", { name: /cache read/ }).first()).toBeVisible();
  await expect(page.getByText(((row.tokens.output ?? 0) - (row.tokens.reasoning ?? 0)).toLocaleString("en-US")).first()).toBeVisible();
  await expect(page.getByRole("grid", { name: "Events of the stream" }).getByRole("row").nth(1)).toContainText(/\d/);
});

test("raw bodies, events, headers and times", async ({ page, monitor }) => {
  await open(page, monitor);
  const row = await monitor.flow("a flow that streamed", (flow) => flow.state === "completed" && flow.events > 3);
  await page.goto(`${monitor.url}/flows?follow=off&sel=${row.id}&tab=request`);
  const code = page.getByRole("region", { name: "Request" });
  await expect(code).toContainText("{");
  await page.getByRole("textbox", { name: "Find in this body" }).fill('"');
  await expect(code.locator("mark").first()).toBeVisible();
  await page.getByRole("tab", { name: "Response" }).click();
  await expect(page.getByRole("region", { name: "Response" })).toContainText("data:");
  await page.getByRole("tab", { name: "Events" }).click();
  const events = page.getByRole("grid", { name: "Events of the stream" });
  await events.getByRole("row").nth(1).click();
  await expect(page).toHaveURL(/at=evt/);
  await page.getByRole("tab", { name: "Usage" }).click();
  const usage = page.getByRole("region", { name: "Usage" });
  await expect(usage.getByRole("rowheader", { name: "Input" }).first()).toBeVisible();
  await expect(usage.getByRole("heading", { name: "Cost" })).toBeVisible();
  await page.getByRole("tab", { name: "Headers" }).click();
  await expect(page.getByRole("heading", { name: "Client" })).toBeVisible();
  await expect(page.getByText("redacted at capture").first()).toBeVisible();
  await page.getByRole("tab", { name: "Timing" }).click();
  await expect(page.getByText("Wait for first byte")).toBeVisible();
});

test("a failed call is explained", async ({ page, monitor }) => {
  await open(page, monitor);
  const row = await monitor.flow("a flow that failed", (flow) => flow.state === "failed" && (flow.status ?? 0) >= 400);
  await page.goto(`${monitor.url}/flows?follow=off&sel=${row.id}`);
  const pane = page.getByRole("complementary", { name: "Flow detail" });
  await expect(pane).toContainText(String(row.status));
  await expect(pane).toContainText(/Caused by|The answer is an error/);
});

test("a flow that is not there is said to be missing", async ({ page, monitor }) => {
  await open(page, monitor);
  await page.goto(`${monitor.url}/flows/0193a2b4-0000-7000-8000-000000000000`);
  await expect(page.getByRole("alert")).toContainText("There is no such flow");
  await page.getByRole("button", { name: "Show all flows" }).click();
  await expect(page.locator("[data-flow]").first()).toBeVisible();
});

test.use({ allowed: /404/ });
