import { expect, test } from "vitest";

import { translator } from "@/lib/i18n/i18n";
import { answering, costOf, detailOf, readingOf, rowOf } from "@/testing/fixtures";

import { costState, paidCount, paidKind, paidLabel, priceOverride, priceUnit, unpricedLabel } from "./cost-lines";

const t = translator("en");
const state = (reading: object, row: object = {}) => costState(detailOf({ flow: rowOf(1, row), reading: readingOf(reading) }));

test("a missing cost has its reason", () => {
  expect(state({ cost: costOf() })).toBe("known");
  expect(state({}, { end: null })).toBe("running");
  expect(state({ units: { credits: "0.04" } })).toBe("credits");
  expect(state({ dialect: "anthropic_count_tokens" })).toBe("free");
  expect(state({ dialect: "models", tokens: {} })).toBe("free");
  expect(state({})).toBe("unpriced");
  expect(state({ tokens: {}, units: { images: 1 } })).toBe("unpriced");
  expect(state({ tokens: {} })).toBe("uncounted");
  expect(costState(detailOf({ reading: answering({ outcome: "error" }, { tokens: {} }) }))).toBe("uncounted");
});

test("lines say what, how many, and what the price is for", () => {
  expect(paidLabel("cache_write_1h", t)).toBe("Cache write, 1 h");
  expect(paidLabel("novelty", t)).toBe("novelty");
  expect(paidLabel("constructor", t)).toBe("constructor");
  expect(paidKind("cache_read_audio")).toBe("read");
  expect(paidKind("search")).toBeNull();
  expect(paidCount({ what: "audio_ms", count: 61_500 })).toBe("1 m 01 s");
  expect(paidCount({ what: "input", count: 96_400 })).toBe("96,400");
  expect(priceUnit({ what: "input", per: 1_000_000 }, t)).toBe("/ M");
  expect(priceUnit({ what: "audio_ms", per: 3_600_000 }, t)).toBe("/ h");
  expect(priceUnit({ what: "search", per: 1_000 }, t)).toBe("/ 1,000");
  expect(priceUnit({ what: "image", per: 1 }, t)).toBe("each");
});

test("what has no price is named in words, or as the API says it", () => {
  expect(unpricedLabel("3 search", t)).toBe("3 Searches");
  expect(unpricedLabel("something new", t)).toBe("something new");
});

test("a price of one's own is written so that any name of a model is one key", () => {
  expect(priceOverride("openai", "gpt-x")).toBe('[prices."openai/gpt-x"]\n# input = 3.00\n# output = 15.00\n');
  expect(priceOverride(null, 'a"b')).toContain('[prices."a\\"b"]');
});
