/** The typed way from a key to words in the chosen language. */
import { useMemo } from "react";

import { usePreferences, type Language } from "../preferences";

import { en, type MessageKey, type Messages } from "./en";
import { zh } from "./zh";

export type Params = Record<string, string | number>;
export type Translate = (key: MessageKey, params?: Params) => string;

export const LANGUAGES: Record<Language, { name: string; tag: string; messages: Messages }> = {
  en: { name: "English", tag: "en", messages: en },
  zh: { name: "中文", tag: "zh-CN", messages: zh },
};

export function translator(language: Language): Translate {
  const { messages, tag } = LANGUAGES[language];
  const plurals = new Intl.PluralRules(tag);
  return (key, params = {}) => {
    const message: string | { one: string; other: string } = messages[key];
    if (typeof message === "string") return fill(message, params);
    const count = Number(String(params["n"] ?? 0).replaceAll(",", ""));
    return fill(plurals.select(count) === "one" ? message.one : message.other, params);
  };
}

export function useT(): Translate {
  const { language } = usePreferences();
  return useMemo(() => translator(language), [language]);
}

function fill(message: string, params: Params): string {
  return message.replace(/\{(\w+)\}/g, (hole, name: string) => String(params[name] ?? hole));
}
