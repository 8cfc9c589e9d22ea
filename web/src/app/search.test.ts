import { expect, test } from "vitest";

import { atByte, atEvent, byteAt, eventAt, validateSearch } from "./search";

test("what is broken is left out", () => {
  const none = { sel: undefined, tab: undefined, side: undefined, at: undefined, follow: undefined, after: undefined };
  expect(validateSearch({ sel: 7, follow: "on", after: "x", other: 1 })).toEqual(none);
  expect(validateSearch({ after: -1, tab: "" })).toEqual(none);
  expect(validateSearch({ sel: "a", tab: "events", follow: "off", after: 12 })).toEqual({ ...none, sel: "a", tab: "events", follow: "off", after: 12 });
});

test("a place in the stream goes there and back", () => {
  expect(eventAt(atEvent(129))).toBe(129);
  expect(atEvent(null)).toBeUndefined();
  for (const at of [undefined, "evt:", "evt:x", "evt:1e9", "129", "msg:1"]) expect(eventAt(at)).toBeNull();
});

test("a place in a body goes there and back, and is no event", () => {
  expect(byteAt(atByte(4_000_000_000))).toBe(4_000_000_000);
  expect(eventAt(atByte(7))).toBeNull();
  for (const at of [undefined, "byte:", "byte:-1", "byte:1.5", "evt:7"]) expect(byteAt(at)).toBeNull();
});
