/** The views of a flow, and in which pane a wide page shows each. */
import type { MessageKey } from "@/lib/i18n/en";

export const TABS = ["conversation", "request", "response", "events", "headers", "timing"] as const;
export type TabId = (typeof TABS)[number];

export const MAIN_TABS: readonly TabId[] = ["conversation", "request", "response"];
export const SIDE_TABS: readonly TabId[] = ["events", "timing", "headers"];

export function isTab(value: unknown): value is TabId {
  return TABS.some((tab) => tab === value);
}

export function tabLabel(tab: TabId): MessageKey {
  return `tab.${tab}`;
}

/** The key that opens a tab: its number. */
export function tabKey(tab: TabId): string {
  return String(TABS.indexOf(tab) + 1);
}
