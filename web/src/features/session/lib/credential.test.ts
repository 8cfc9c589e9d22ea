import { expect, test } from "vitest";

import { codeIn, credentialOf } from "./credential";

test("a link gives its code, everything else without spaces is a token", () => {
  expect(credentialOf(" http://127.0.0.1:8378/#code=ab-c_1 \n")).toEqual({ kind: "code", code: "ab-c_1" });
  expect(credentialOf("#code=x")).toEqual({ kind: "code", code: "x" });
  expect(credentialOf("fm_0123456789")).toEqual({ kind: "token", token: "fm_0123456789" });
  for (const text of ["", "  ", "http://127.0.0.1:8378/", "two words"]) expect(credentialOf(text), text).toBeNull();
});

test("a fragment without a code has none", () => {
  for (const text of ["", "#", "#code=", "#tab=events", "code=x"]) expect(codeIn(text), text).toBeNull();
});
