/** The views of a flow, and in which pane a wide page shows each. */
import type { MessageKey } from "@/lib/i18n/en";

export const TABS = ["conversation", "request", "response", "events", "usage", "headers", "timing"] as const;
export type TabId = (typeof TABS)[number];

/** The right pane goes on where the left one ends: the order, and so the keys, are the same everywhere. */
const MAIN_COUNT = 3;
export const MAIN_TABS: readonly TabId[] = TABS.slice(0, MAIN_COUNT);
export const SIDE_TABS: readonly TabId[] = TABS.slice(MAIN_COUNT);

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
