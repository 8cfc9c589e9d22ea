/**
 * What one browser remembers: theme, language, single keys, pane width, wrapping. Everything else lives in the URL.
 * `public/theme.js` reads the same keys before the first paint.
 */
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
export type Language = "en" | "zh";

export interface Preferences {
  theme: Theme;
  language: Language;
  /** Single keys act; can be switched off (WCAG 2.1.4). */
  singleKeys: boolean;
  peekWidth: number;
  /** Long lines of a body go on in the next row. */
  wrapCode: boolean;
}

export const PEEK_WIDTH_MIN = 360;
export const PEEK_WIDTH_MAX = 960;
const PEEK_WIDTH_DEFAULT = 440;
const PREFIX = "flow-monitor.";

const listeners = new Set<() => void>();
let current: Preferences = read();

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

export function setPreference<K extends keyof Preferences>(key: K, value: Preferences[K]): void {
  current = { ...current, [key]: value };
  try {
    localStorage.setItem(PREFIX + key, String(value));
  } catch {
    // A browser without storage keeps the choice until the page is left.
  }
  applyToDocument();
  for (const listener of listeners) listener();
}

export function applyToDocument(): void {
  const root = document.documentElement;
  if (current.theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = current.theme;
  root.lang = current.language === "zh" ? "zh-CN" : "en";
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Preferences {
  const theme = stored("theme");
  const language = stored("language") ?? navigator.language;
  const width = Number(stored("peekWidth") ?? PEEK_WIDTH_DEFAULT);
  return {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    language: /^zh/i.test(language) ? "zh" : "en",
    singleKeys: stored("singleKeys") !== "false",
    wrapCode: stored("wrapCode") !== "false",
    peekWidth: Number.isFinite(width) ? Math.min(PEEK_WIDTH_MAX, Math.max(PEEK_WIDTH_MIN, width)) : PEEK_WIDTH_DEFAULT,
  };
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}
