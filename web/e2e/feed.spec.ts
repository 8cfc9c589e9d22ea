import type { WebSocketRoute } from "@playwright/test";

import type { FlowPage } from "../src/api/types";

import { expect, open, test } from "./monitor";

test("a lost feed is said and caught up, without a row lost or twice", async ({ page, monitor }) => {
  const sockets: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/api\/feed/, (socket) => {
    socket.connectToServer();
    sockets.push(socket);
  });
  await open(page, monitor);
  const rows = page.locator("[data-flow]");
  await expect.poll(() => rows.count()).toBeGreaterThan(2);
  await sockets.at(-1)?.close();
  const banner = page.getByText("Live feed lost, trying again");
  await expect(banner).toBeVisible();
  const known = await rows.first().getAttribute("data-flow");
  await expect(banner).toBeHidden();
  await expect.poll(() => rows.first().getAttribute("data-flow")).not.toBe(known);
  const stored = await page.evaluate(async () => (await (await fetch("/api/flows?limit=15")).json()) as FlowPage);
  const shown = await rows.evaluateAll((elements) => elements.map((element) => element.getAttribute("data-flow")));
  expect(new Set(shown).size).toBe(shown.length);
  await expect
    .poll(() => rows.evaluateAll((elements) => elements.map((element) => element.getAttribute("data-flow"))))
    .toEqual(expect.arrayContaining(stored.flows.map(({ id }) => id)));
});

test("where sockets are blocked the feed comes as events", async ({ page, monitor }) => {
  await page.addInitScript(() => {
    class Blocked {
      onclose: (() => void) | null = null;
      constructor() { queueMicrotask(() => { this.onclose?.(); }); }
      close(): void { this.onclose = null; }
    }
    Object.assign(window, { WebSocket: Blocked });
  });
  await open(page, monitor);
  const rows = page.locator("[data-flow]");
  await expect(rows.first()).toBeVisible();
  const first = await rows.first().getAttribute("data-flow");
  await expect.poll(() => rows.first().getAttribute("data-flow")).not.toBe(first);
  await expect(page.getByText("Live feed lost")).toBeHidden();
});
