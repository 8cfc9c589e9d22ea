import { expect, test } from "vitest";

import { en, type MessageKey } from "./en";
import { translator } from "./i18n";
import type { Plural } from "./plural";
import { zh } from "./zh";

function forms(message: string | Plural): string[] {
  return typeof message === "string" ? [message] : [message.one, message.other];
}

function holes(message: string | Plural): string[] {
  const found = forms(message).flatMap((form) => [...form.matchAll(/\{\w+\}/g)].map(([hole]) => hole));
  return [...new Set(found)].sort();
}

test("both languages have the same keys, and no empty text", () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  for (const table of [en, zh]) {
    for (const [key, message] of Object.entries(table)) {
      for (const form of forms(message)) expect(form.trim(), key).not.toBe("");
    }
  }
});

test("both languages fill the same holes", () => {
  for (const key of Object.keys(en) as MessageKey[]) expect(holes(zh[key]), key).toEqual(holes(en[key]));
});

test("Chinese has no space before its punctuation and does not say 您", () => {
  for (const [key, message] of Object.entries(zh)) {
    for (const form of forms(message)) expect(form, key).not.toMatch(/\s[，。：；？！（）]|您/);
  }
});

test("numbers choose the form", () => {
  const t = translator("en");
  expect(t("list.newFlows", { n: 1 })).toBe("1 new flow");
  expect(t("list.newFlows", { n: "1,284" })).toBe("1,284 new flows");
  expect(translator("zh")("list.newFlows", { n: 12 })).toBe("12 个新请求");
});
