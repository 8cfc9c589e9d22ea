import { expect, test } from "vitest";

import { RAW_FIELDS_MAX, rawFields, rawSummary } from "./raw-fields";

test("members of an object, and of objects in it, have a line each", () => {
  const fields = rawFields({ flagged: true, scores: { a: 0.25, b: 1e-7 }, parts: [1, 2], none: {}, gone: null });
  expect(fields?.map(({ key, text }) => `${key}=${text}`)).toEqual(["flagged=true", "scores.a=0.25", "scores.b=1e-7", "parts=[1,2]", "none={}", "gone=null"]);
});

test("what is no object, empty or too long has no overview", () => {
  for (const raw of [null, "x", 7, [1], {}]) expect(rawFields(raw)).toBeNull();
  expect(rawFields(Object.fromEntries(Array.from({ length: RAW_FIELDS_MAX + 1 }, (_, at) => [`k${at}`, at])))).toBeNull();
});

test("a raw value is called by its own name, else by its beginning", () => {
  expect(rawSummary({ object: "model", id: "m-1" })).toBe("m-1");
  expect(rawSummary({ id: 7, name: "n" })).toBe("n");
  expect(rawSummary([1, 2])).toBe("[1,2]");
  expect(rawSummary("words")).toBe("words");
  expect(rawSummary(undefined)).toBe("");
});
